// A web server that answers every request with its name, and closes no connection by itself.
//   node web-server-main.js NAME PORT
import { createServer } from "node:http";

const [name = "", port = ""] = process.argv.slice(2);
const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, (_, response) => response.end(`${name}\n`));
server.listen(Number(port), () => console.log("listens"));
