/** A program: answers each datagram to the port in its argument with itself. */
import { createSocket } from "node:dgram";

const socket = createSocket("udp4");
socket.on("message", (message, { port, address }) => socket.send(message, port, address));
socket.bind(Number(process.argv[2]), () => console.log("listening"));
