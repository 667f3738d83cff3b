// SPDX-License-Identifier: Apache-2.0
//
// A receiver of OTLP/HTTP logs that knows the protocol from OpenTelemetry's own definition: node otlp_receiver.js
// PLACE OUT. The port goes to PLACE, each request that is right to OUT as the protocol has it. One that is not, in
// a name, a type or a field that the protocol does not have, is answered with 400 and said in OUT.
const assert = require("assert");
const fs = require("fs");
const http = require("http");
const { opentelemetry } = require("@opentelemetry/otlp-transformer/build/src/generated/root.js");

const { ExportLogsServiceRequest: Request } = opentelemetry.proto.collector.logs.v1;

// What the protocol does not know is lost on the way through its bytes.
function decode(json) {
  const bytes = Request.encode(Request.fromObject(json)).finish();
  const read = Request.toObject(Request.decode(bytes), { longs: String });
  assert.deepStrictEqual(read, json);
  return read;
}

const server = http.createServer((request, response) => {
  const parts = [];
  request.on("data", (part) => parts.push(part));
  request.on("end", () => {
    let status = 200;
    let said;
    try {
      assert.strictEqual(request.method + " " + request.url, "POST /v1/logs");
      assert.strictEqual(request.headers["content-type"], "application/json");
      said = JSON.stringify(decode(JSON.parse(Buffer.concat(parts).toString())));
    } catch (error) {
      status = 400;
      said = "refused: " + error.message;
    }
    fs.appendFileSync(process.argv[3], said + "\n");
    response.writeHead(status, { "Content-Type": "application/json" });
    response.end("{}");
  });
});
server.listen(0, "127.0.0.1", () => fs.writeFileSync(process.argv[2], server.address().port + "\n"));
