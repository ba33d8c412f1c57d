/** A look as a request: the row that is sent, and the same as JSON, curl and Python for other programs. */

import { body } from "./api.js";

const EMPTY = { b64: "" };

/** (signature, row) of a look; `other` is the look that it may borrow from. */
export function requestOf(description, look, other) {
  const number = { seed: look.seed, truncation_psi: look.psi };
  if (!description.conditional) return ["serving_default", number];
  if (!look.borrow) return ["serving_default", { ...conditions(description, look), ...number }];
  const [begin, end] = description.layers[look.borrow];
  const sides = { source: other, target: look };
  const row = { layer_begin: begin, layer_end: end, truncation_psi: look.psi };
  for (const [side, { seed, ...given }] of Object.entries(sides)) {
    row[`${side}_seed`] = seed;
    for (const [name, value] of Object.entries(conditions(description, given))) row[`${side}_${name}`] = value;
  }
  return ["transfer", row];
}

function conditions(description, look) {
  return {
    article_images_bytes: description.slots.map((slot) => (look.articles[slot] ? { b64: look.articles[slot].b64 } : EMPTY)),
    keypoints: look.pose.map(([x, y, there]) => [round(x), round(y), there]),
  };
}

const round = (value) => Math.round(value * 1e5) / 1e5;

/** The body of the request, to be read by people and programs. */
export const asJson = (signature, row) => JSON.stringify(body(signature, [row]));

/** A command line that writes picture.png. The body comes on standard input: a line may not be long enough for photos. */
export function asCurl(url, signature, row) {
  const decode = `python3 -c 'import base64, json, sys
answer = json.load(sys.stdin)["predictions"][0]
sys.stdout.buffer.write(base64.b64decode(answer.get("image_bytes", answer)["b64"]))'`;
  return `curl --fail-with-body --silent --data-binary @- ${quoted(`${url}:predict`)} <<'END' | ${decode} > picture.png
${asJson(signature, row)}
END`;
}

const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** A program that writes picture.png with the standard library alone. */
export function asPython(url, signature, row) {
  return `import base64, json, urllib.request

url = ${JSON.stringify(`${url}:predict`)}
body = r'''${asJson(signature, row)}'''

with urllib.request.urlopen(urllib.request.Request(url, body.encode())) as response:
    answer = json.load(response)["predictions"][0]
with open("picture.png", "wb") as file:
    file.write(base64.b64decode(answer.get("image_bytes", answer)["b64"]))
`;
}
