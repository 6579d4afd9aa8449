// A daemon that is given its listening socket, as systemd does: descriptor 3. Ends when its standard input does.
import { serveHttp } from "../../../src/api/index.ts";
import { fakeService } from "../fake-service.ts";
import { logTo } from "../http-fixture.ts";

const server = await serveHttp(fakeService().service, { listen: { fd: 3 }, log: logTo([]) });
process.stdout.write("ready\n");
process.stdin.resume();
process.stdin.on("end", () => void server.close(0));
