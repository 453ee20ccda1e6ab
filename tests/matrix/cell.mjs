// What a client written for Node needs to have its cells run. The same questions and answers as in cell.py; knows no
// client. Cells are printed as JSON lines, which run.py reads; a cell fails by throwing.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const CASE = JSON.parse(process.env.MATRIX_CASE);
const PROTOCOLS = { chat: "openai", responses: "openai", embeddings: "openai", models: "openai", messages: "anthropic", gemini: "gemini", converse: "bedrock" };
const UPSTREAMS = ["sandbox", "aimock", "aimock-translated", "llama.cpp"];
const CELL_SECONDS = 45;

export const HELLO = "hello";
export const WEATHER = "What is the weather? Please use get_weather.";
export const CITY = "Name a city.";
export const TOOL_ANSWER = "21 degrees";
export const CITIES = ["Paris", "Oslo"];
export const SCHEMA = { type: "object", properties: { city: { type: "string", enum: CITIES } }, required: ["city"], additionalProperties: false };
export const DESCRIPTION = "Weather of a city";
const SAYS = { sandbox: "The sandbox heard: hello", aimock: "Hello from the mock, which speaks in several chunks." };
const SAYS_AFTER_TOOL = { sandbox: "The tool answered: 21 degrees", aimock: "The tool answered: 21 degrees" };
const COUNTS = { aimock: [11, 9] };

/** The model to name; undefined if this surface has none at this upstream. */
const target = (upstream, surface) => {
  const models = CASE.upstreams[upstream]?.models ?? {};
  return models[surface] ?? models[PROTOCOLS[surface]];
};

export const collect = async (stream) => {
  const all = [];
  for await (const item of stream) all.push(item);
  return all;
};

/** `call` rejects with exactly `kind` and this status. Returns what it rejected with. */
export const raises = async (kind, call, status) => {
  let error;
  await assert.rejects(call, (caught) => ((error = caught), true));
  assert.equal(error.constructor, kind, `${error.constructor.name}: ${error.message}`);
  if (status) assert.equal(error.status ?? error.statusCode, status);
  return error;
};

/** Where one cell runs, and what its upstream is known to answer. */
class On {
  constructor(upstream, surface) {
    const place = CASE.upstreams[upstream];
    this.model = target(upstream, surface);
    // Translated or not, an upstream answers the same.
    upstream = upstream.replace("-translated", "");
    Object.assign(this, { upstream, key: CASE.key, narrowKey: CASE.narrow_key });
    this.base = (surface === "embeddings" && place.embedder) || place.base;
    this.embedder = place.models.embeddings;
    this.refused = {
      sandbox: { model: "limited", prompt: HELLO, status: 429 },
      aimock: { model: this.model, prompt: "Please answer with status 429", status: 429 },
      "llama.cpp": { model: this.model, prompt: "a".repeat(20_000), status: 400 },
    }[upstream];
    this.reason = { sandbox: "Rate limit", aimock: "Rate limited", "llama.cpp": "context size" }[upstream];
  }

  /** An upstream's refusal that reached the client: its own message, not somebody else's of the same status. */
  explained(error) {
    assert.ok(String(error.message).includes(this.reason), `the message is ${String(error.message).slice(0, 300)}`);
  }

  /** What HELLO, or a tool's result, is answered with. */
  said(text, afterTool = false) {
    const want = (afterTool ? SAYS_AFTER_TOOL : SAYS)[this.upstream];
    assert.ok(typeof text === "string" && text, `said ${JSON.stringify(text)}`);
    if (want) assert.equal(text, want);
  }

  /** The usage of an answer to HELLO. */
  counted(given, made) {
    assert.ok(given && made, `usage is ${given} and ${made}`);
    assert.deepEqual([given, made], COUNTS[this.upstream] ?? [given, made]);
  }

  /** A call of the tool get_weather, its arguments parsed or as JSON text. */
  called(name, given) {
    assert.equal(name, "get_weather");
    this.city(given);
  }

  /** A value of SCHEMA, parsed or as JSON text. */
  city(given) {
    const value = typeof given === "string" ? JSON.parse(given) : given;
    assert.deepEqual(Object.keys(value), ["city"]);
    assert.ok(CITIES.includes(value.city), JSON.stringify(value));
  }

  ended(reason, ...wanted) {
    assert.ok(wanted.includes(reason), `stopped for ${reason}, not ${wanted}`);
  }
}

const within = (promise) => {
  let timer;
  const late = new Promise((_, reject) => (timer = setTimeout(() => reject(new Error(`not done in ${CELL_SECONDS} s`)), CELL_SECONDS * 1000)));
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
};

/** A client's cells, in the order in which they are written down. */
export class Client {
  constructor(name, label, packageName) {
    const file = new URL(`../node_modules/${packageName}/package.json`, import.meta.url);
    Object.assign(this, { name, label, version: JSON.parse(readFileSync(file)).version, cells: [] });
  }

  /** `check` takes an `On`. */
  cell(surface, operation, check, upstreams = UPSTREAMS) {
    for (const upstream of upstreams) this.cells.push({ surface, operation, upstream, check });
  }

  async run() {
    for (const { surface, operation, upstream, check } of this.cells) {
      if (target(upstream, surface) === undefined) continue;
      const line = { client: this.name, label: this.label, version: this.version, surface, operation, upstream };
      const began = performance.now();
      try {
        await within((async () => check(new On(upstream, surface)))());
        line.ok = true;
      } catch (error) {
        const at = /clients\/[^)]*?:(\d+):\d+/.exec(error?.stack ?? "")?.[1] ?? "?";
        Object.assign(line, { ok: false, why: `${error?.constructor?.name}: ${String(error?.message ?? error).slice(0, 600)} (line ${at})` });
      }
      console.log(JSON.stringify({ ...line, seconds: Math.round((performance.now() - began) / 10) / 100 }));
    }
    process.exit(0);
  }
}
