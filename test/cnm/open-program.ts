// A program for tests that need a controller in another process: opens one, says how that went as a line
// of JSON, and holds it until it is killed. Arguments: root folder, namespace, effective user id.
import { writeSync } from "node:fs";
import { Controller } from "../../src/cnm/index.ts";
import { isWeftError, messageOf } from "../../src/core/index.ts";

const [root = "", hostNetns = "", user = "0"] = process.argv.slice(2);
if (user !== "0") process.seteuid?.(Number(user));
try {
  const controller = await Controller.open({ root, hostNetns });
  if (controller.networks().length === 0) await controller.createNetwork("bridge", "of-the-other");
  writeSync(1, `${JSON.stringify({ open: true })}\n`);
  setInterval(() => {}, 60_000);
} catch (error) {
  const code = isWeftError(error) ? error.code : "";
  writeSync(1, `${JSON.stringify({ code, message: messageOf(error) })}\n`);
}
