/** TF Serving's REST API: a model's state, what it is, and its pictures. */

const RETRY_TEXT = "The page tries again by itself.";

/** What went wrong, in words for the person who uses the page: `kind` is away, missing, loading, busy or refused. */
export class ServerError extends Error {
  constructor(kind, heading, detail = "") {
    super(detail ? `${heading}: ${detail}` : heading);
    Object.assign(this, { kind, heading, detail });
  }
}

export class Api {
  /** `model` is the model's name on the server, whose /v1/ lies beside the page's folder. */
  constructor(model) {
    this.model = model;
    this.url = new URL(`../v1/models/${encodeURIComponent(model)}`, document.baseURI).href;
  }

  /** The number of the version that answers; throws a `ServerError` while none does. */
  async version() {
    const answer = await this.#call("");
    const states = answer.model_version_status ?? [];
    const ready = states.find((state) => state.state === "AVAILABLE");
    if (!ready) {
      throw new ServerError("loading", "The model is loading", `${this.model} answers as soon as it is ready. ${RETRY_TEXT}`);
    }
    return ready.version;
  }

  /** What the model is: slots, sizes, joints, layers. */
  async describe() {
    const answer = await this.predict("describe", [{ what: "" }]);
    return JSON.parse(new TextDecoder().decode(bytesOf(answer[0].description_bytes.b64)));
  }

  /** The answers of a signature, one for each row. */
  async predict(signature, rows, signal) {
    return (await this.#call(":predict", body(signature, rows), signal)).predictions;
  }

  /** One picture of a row, as a blob. */
  async picture(signature, row, signal) {
    const [answer] = await this.predict(signature, [row], signal);
    // A signature of one output is answered without its name.
    const bytes = bytesOf((answer.image_bytes ?? answer).b64);
    return new Blob([bytes], { type: bytes[0] === 0xff ? "image/jpeg" : "image/png" });
  }

  async #call(path, content, signal) {
    const request = content ? { method: "POST", body: JSON.stringify(content), signal } : { signal };
    let response;
    try {
      response = await fetch(this.url + path, request);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServerError("away", "The server does not answer", `Is it running? ${RETRY_TEXT}`);
    }
    const answer = await response.json().catch((error) => {
      if (error.name === "AbortError") throw error;
      return null;
    });
    if (response.ok && answer) return answer;
    throw refusal(response.status, answer?.error, this.model);
  }
}

/** The body of a request, as TF Serving takes it. */
export const body = (signature, rows) => ({ signature_name: signature, instances: rows });

function refusal(status, text, model) {
  if (status === 404) {
    const hint = `The server has no model of this name. Open the page with ?model=NAME at the end of its address.`;
    return new ServerError("missing", `No model “${model}”`, text ? hint : `There is no TF Serving behind this page. ${hint}`);
  }
  if (status === 429 || status === 499 || status === 503 || status === 504) {
    return new ServerError("busy", "The server is busy", RETRY_TEXT);
  }
  if (status === 413) return new ServerError("refused", "The photos are too large for this server", "Take smaller ones.");
  if (status >= 500 && !text) return new ServerError("away", "The server does not answer", `HTTP ${status}. ${RETRY_TEXT}`);
  return new ServerError("refused", "The model refuses this request", text ? sentence(text) : `HTTP ${status}`);
}

/** The sentence of ours in a text of TensorFlow, without the names of the graph around it. */
function sentence(text) {
  const found = text.match(/assertion failed: \[(.+?)\](?: \[|$|\n|\s*\[\[)/s) ?? text.match(/^([^\n]+)/);
  return found[1].replace(/^b?'|'$/g, "").slice(0, 400);
}

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
