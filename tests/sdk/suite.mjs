// The official Node SDKs, unmodified, against a running Lintel. Environment and routes as in suite.py; run by
// `node --test`. A cell in known_upstream.json passes when it fails, and fails when it passes.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";
import OpenAI from "openai";

const { LINTEL_BASE, LINTEL_KEY, LINTEL_NARROW_KEY } = process.env;
const known = JSON.parse(readFileSync(new URL("known_upstream.json", import.meta.url)));
const seen = new Set();

const cell = (name, check) => {
  seen.add(name);
  test(name, { timeout: 60_000 }, async () => {
    if (!(name in known)) return check();
    await assert.rejects(check, undefined, `passes, but known_upstream.json says that the upstream fails it: ${known[name]}`);
  });
};
after(() => assert.deepEqual(Object.keys(known).filter((name) => !seen.has(name)), [], "known_upstream.json names cells that don't exist"));

const chat = (apiKey = LINTEL_KEY) => new OpenAI({ baseURL: `${LINTEL_BASE}/v1`, apiKey, maxRetries: 0, timeout: 30_000 });
const messages = (apiKey = LINTEL_KEY) => new Anthropic({ baseURL: LINTEL_BASE, apiKey, maxRetries: 0, timeout: 30_000 });
const say = (content) => [{ role: "user", content }];
const collect = async (stream) => {
  const all = [];
  for await (const item of stream) all.push(item);
  return all;
};
/** `call` rejects with exactly `kind` and this status. Returns what it rejected with. */
const raises = async (kind, call, status) => {
  let error;
  await assert.rejects(call, (caught) => ((error = caught), true));
  assert.equal(error.constructor, kind, `${error.constructor.name}: ${error.message}`);
  if (status) assert.equal(error.status, status);
  return error;
};

const cities = ["Paris", "Oslo"];
const schema = { type: "object", properties: { city: { type: "string", enum: cities } }, required: ["city"], additionalProperties: false };
const question = say("What is the weather? Please use get_weather.");
const openaiTools = [{ type: "function", function: { name: "get_weather", description: "Weather of a city", parameters: schema } }];
const anthropicTools = [{ name: "get_weather", description: "Weather of a city", input_schema: schema }];
const city = (text) => assert.ok(cities.includes(JSON.parse(text).city), text);

for (const route of ["sandbox", "tiny"]) {
  const create = (options) => chat().chat.completions.create({ model: route, messages: say("hello"), max_tokens: 16, ...options });

  cell(`${route}/openai.chat`, async () => {
    const answer = await create({});
    assert.ok(answer.choices[0].message.content);
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
    if (route === "sandbox") assert.equal(answer.choices[0].message.content, "The sandbox heard: hello");
  });

  cell(`${route}/openai.stream`, async () => {
    const chunks = await collect(await create({ stream: true }));
    assert.ok(chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join(""));
    assert.ok(["stop", "length"].includes(chunks.at(-1).choices[0].finish_reason));
    assert.ok(chunks.every((chunk) => chunk.usage == null), "usage came though nobody asked for it");
  });

  cell(`${route}/openai.stream_usage`, async () => {
    const last = (await collect(await create({ stream: true, stream_options: { include_usage: true } }))).at(-1);
    assert.deepEqual(last.choices, []);
    assert.equal(last.usage.total_tokens, last.usage.prompt_tokens + last.usage.completion_tokens);
  });

  cell(`${route}/openai.tools`, async () => {
    const answer = await create({ messages: question, tools: openaiTools, tool_choice: "required", max_tokens: 200 });
    const call = answer.choices[0].message.tool_calls[0];
    assert.equal(call.function.name, "get_weather");
    city(call.function.arguments);
  });

  cell(`${route}/openai.tool_result`, async () => {
    const call = { id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"city":"Oslo"}' } };
    const history = [...question, { role: "assistant", content: null, tool_calls: [call] }, { role: "tool", tool_call_id: "call_1", content: "21 degrees" }];
    const answer = await create({ messages: history, tools: openaiTools });
    assert.ok(answer.choices[0].message.content);
    if (route === "sandbox") assert.equal(answer.choices[0].message.content, "The tool answered: 21 degrees");
  });

  cell(`${route}/openai.json_schema`, async () => {
    const response_format = { type: "json_schema", json_schema: { name: "city", schema, strict: true } };
    const answer = await create({ messages: say("Name a city."), response_format, max_tokens: 500 });
    city(answer.choices[0].message.content);
  });

  const model = route === "sandbox" ? "sandbox" : "tiny-messages";
  const send = (options) => messages().messages.create({ model, messages: say("hello"), max_tokens: 16, ...options });

  cell(`${route}/anthropic.create`, async () => {
    const answer = await send({});
    assert.deepEqual([answer.type, answer.role, answer.content[0].type], ["message", "assistant", "text"]);
    assert.ok(answer.content[0].text && answer.usage.output_tokens > 0);
    if (route === "sandbox") assert.equal(answer.content[0].text, "The sandbox heard: hello");
  });

  cell(`${route}/anthropic.stream`, async () => {
    const stream = messages().messages.stream({ model, messages: say("hello"), max_tokens: 16 });
    let text = "";
    stream.on("text", (delta) => (text += delta));
    const final = await stream.finalMessage();
    assert.ok(text && final.usage.output_tokens > 0 && final.usage.input_tokens > 0);
    assert.equal(final.content[0].text, text);
  });

  cell(`${route}/anthropic.tools`, async () => {
    const answer = await send({ messages: question, tools: anthropicTools, tool_choice: { type: "any" }, max_tokens: 200 });
    const call = answer.content.find((block) => block.type === "tool_use");
    assert.equal(call.name, "get_weather");
    assert.ok(cities.includes(call.input.city));
  });

  cell(`${route}/anthropic.tool_result`, async () => {
    const call = { type: "tool_use", id: "toolu_1", name: "get_weather", input: { city: "Oslo" } };
    const result = { type: "tool_result", tool_use_id: "toolu_1", content: "21 degrees" };
    const history = [...question, { role: "assistant", content: [call] }, { role: "user", content: [result] }];
    const answer = await send({ messages: history, tools: anthropicTools });
    assert.ok(answer.content[0].text);
    if (route === "sandbox") assert.equal(answer.content[0].text, "The tool answered: 21 degrees");
  });

  cell(`${route}/anthropic.json_schema`, async () => {
    const answer = await send({ messages: say("Name a city."), output_config: { format: { type: "json_schema", schema } }, max_tokens: 500 });
    city(answer.content[0].text);
  });
}

cell("sandbox/openai.tools_stream", async () => {
  const stream = chat().chat.completions.stream({ model: "sandbox", messages: question, tools: openaiTools });
  const final = await stream.finalChatCompletion();
  city(final.choices[0].message.tool_calls[0].function.arguments);
});

cell("sandbox/openai.models", async () => {
  const names = (await collect(await chat().models.list())).map((model) => model.id);
  assert.ok(names.includes("sandbox") && names.includes("tiny"), names.join());
  assert.equal((await chat().models.retrieve("sandbox")).id, "sandbox");
  await raises(OpenAI.NotFoundError, () => chat().models.retrieve("nonesuch"), 404);
});

cell("sandbox/openai.errors", async () => {
  const ask = (model, client = chat(), options = {}) => () => client.chat.completions.create({ model, messages: say("hello"), ...options });
  await raises(OpenAI.AuthenticationError, ask("sandbox", chat("lk_wrong")), 401);
  await raises(OpenAI.NotFoundError, ask("nonesuch"), 404);
  await assert.rejects(ask("sandbox", chat(LINTEL_NARROW_KEY)), (error) => [403, 404].includes(error.status));
  const limited = await raises(OpenAI.RateLimitError, ask("sandbox/sandbox-e429"), 429);
  assert.equal(limited.code, "rate_limit_exceeded");
  assert.ok(limited.headers.get("retry-after"));
  await raises(OpenAI.BadRequestError, ask("sandbox/sandbox-e400"), 400);
  await raises(OpenAI.InternalServerError, ask("sandbox/sandbox-e500"), 500);
  await raises(OpenAI.BadRequestError, ask("sandbox", chat(), { n: 1000 }), 400);
});

cell("sandbox/openai.stream_error", async () => {
  const stream = await chat().chat.completions.create({ model: "sandbox/sandbox-errevent3", messages: say("hello"), stream: true });
  const error = await raises(OpenAI.APIError, () => collect(stream));
  assert.match(error.message, /server had an error/);
});

cell("sandbox/openai.hang_up", async () => {
  const stream = await chat().chat.completions.create({ model: "sandbox/sandbox-i20-n500", messages: say("hello"), stream: true });
  let chunks = 0;
  for await (const _ of stream) if (++chunks === 3) break;
  assert.equal(chunks, 3);
});

cell("sandbox/anthropic.tools_stream", async () => {
  const final = await messages().messages.stream({ model: "sandbox", messages: question, tools: anthropicTools, max_tokens: 200 }).finalMessage();
  assert.ok(cities.includes(final.content[0].input.city));
});

cell("sandbox/anthropic.models", async () => {
  const names = (await collect(messages().models.list())).map((model) => model.id);
  assert.ok(names.includes("sandbox"), names.join());
  assert.equal((await messages().models.retrieve("sandbox")).id, "sandbox");
});

cell("sandbox/anthropic.errors", async () => {
  const ask = (model, client = messages()) => () => client.messages.create({ model, messages: say("hello"), max_tokens: 16 });
  const wrong = await raises(Anthropic.AuthenticationError, ask("sandbox", messages("lk_wrong")), 401);
  assert.equal(wrong.error.error.type, "authentication_error");
  await raises(Anthropic.NotFoundError, ask("nonesuch"), 404);
  const limited = await raises(Anthropic.RateLimitError, ask("sandbox/sandbox-e429"), 429);
  assert.equal(limited.error.error.type, "rate_limit_error");
  await raises(Anthropic.BadRequestError, ask("sandbox/sandbox-e400"), 400);
  await raises(Anthropic.InternalServerError, ask("sandbox/sandbox-e500"), 500);
});

cell("sandbox/anthropic.stream_error", async () => {
  const stream = await messages().messages.create({ model: "sandbox/sandbox-errevent3", messages: say("hello"), max_tokens: 16, stream: true });
  await assert.rejects(collect(stream), (error) => error instanceof Anthropic.APIError && /overloaded_error/i.test(error.message));
});
