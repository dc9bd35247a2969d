// Sends one request with @volcengine/openapi; reads it as JSON from standard input and writes the
// response body to standard output. See NodeClient in sdk_scenarios.py.
const { readFileSync } = require("fs");
const { Service } = require("@volcengine/openapi");

const request = JSON.parse(readFileSync(0, "utf8"));
const service = new Service({
  host: request.host,
  protocol: "http:",
  region: "cn-north-1",
  serviceName: "rtc",
  accessKeyId: request.accessKeyId,
  secretKey: request.secretKey,
});
const create = request.method === "GET" ? "createAPI" : "createJSONAPI";
const call = service[create](request.action, { Version: request.version, method: request.method });

call(request.params).then((body) => process.stdout.write(JSON.stringify(body)));
