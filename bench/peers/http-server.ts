/**
 * The web server of the bench, a program: answers every request with the same two bytes. It does so on a bare
 * TCP server, for node:http would be the slowest part of what is measured.
 */
import { createServer } from "node:net";

const answer = (more: string) => Buffer.from(`HTTP/1.1 200 OK\r\n${more}Content-Length: 2\r\n\r\nok`);
const [kept, last] = [answer(""), answer("Connection: close\r\n")];

createServer({ noDelay: true }, (socket) => {
  socket.on("error", () => {}); // the client ends its connections as it likes when its time is over
  // wrk sends a request in one piece, and the next one when it has the answer.
  socket.on("data", (request) => {
    if (request.includes("Connection: close")) socket.end(last);
    else socket.write(kept);
  });
}).listen(Number(process.argv[2]), () => console.log("listening"));
