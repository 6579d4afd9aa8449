// A web server that tells who asked: node web-server.js PORT GREETING
import { createServer } from "node:http";

const [port = "80", greeting = "hello"] = process.argv.slice(2);
const server = createServer((request, response) => {
  response.end(`${greeting}; you are ${request.socket.remoteAddress}`);
});
server.listen(Number(port), "::", () => console.log("listening"));

// The first process of a PID namespace is not ended by a signal that it does not handle.
process.on("SIGTERM", () => process.exit(0));
