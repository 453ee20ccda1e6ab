// The official OpenAI SDK for Node: chat completions, responses, embeddings, models.

import assert from "node:assert/strict";

import OpenAI from "openai";

import { CITY, Client, DESCRIPTION, HELLO, SCHEMA, TOOL_ANSWER, WEATHER, collect, raises } from "../cell.mjs";

const client = new Client("openai-node", "openai (Node)", "openai");
const TOOLS = [{ type: "function", function: { name: "get_weather", description: DESCRIPTION, parameters: SCHEMA } }];
const RESPONSES_TOOLS = [{ type: "function", name: "get_weather", description: DESCRIPTION, parameters: SCHEMA, strict: true }];
const sdk = (on, apiKey = on.key) => new OpenAI({ baseURL: `${on.base}/v1`, apiKey, maxRetries: 0, timeout: 30_000 });
const say = (content) => [{ role: "user", content }];
const chat = (on, options = {}, key = on.key) => sdk(on, key).chat.completions.create({ model: on.model, messages: say(HELLO), max_tokens: 64, ...options });
const respond = (on, options = {}, key = on.key) => sdk(on, key).responses.create({ model: on.model, input: HELLO, max_output_tokens: 64, ...options });
const kind = (status) => (status === 429 ? OpenAI.RateLimitError : OpenAI.BadRequestError);

client.cell("chat", "create", async (on) => {
  const answer = await chat(on);
  assert.equal(answer.object, "chat.completion");
  on.said(answer.choices[0].message.content);
  on.counted(answer.usage.prompt_tokens, answer.usage.completion_tokens);
  assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
});

client.cell("chat", "stream", async (on) => {
  const chunks = await collect(await chat(on, { stream: true }));
  on.said(chunks.map((chunk) => chunk.choices[0].delta.content ?? "").join(""));
  on.ended(chunks.at(-1).choices[0].finish_reason, "stop", "length");
  assert.ok(chunks.every((chunk) => chunk.usage == null), "usage came though nobody asked for it");
});

client.cell("chat", "stream_usage", async (on) => {
  const last = (await collect(await chat(on, { stream: true, stream_options: { include_usage: true } }))).at(-1);
  assert.deepEqual(last.choices, []);
  on.counted(last.usage.prompt_tokens, last.usage.completion_tokens);
});

client.cell("chat", "tools", async (on) => {
  const answer = await chat(on, { messages: say(WEATHER), tools: TOOLS, tool_choice: "required", max_tokens: 200 });
  const call = answer.choices[0].message.tool_calls[0];
  on.called(call.function.name, call.function.arguments);
  on.ended(answer.choices[0].finish_reason, "tool_calls");
});

client.cell("chat", "tools_stream", async (on) => {
  const options = { model: on.model, messages: say(WEATHER), tools: TOOLS, tool_choice: "required", max_tokens: 200 };
  const final = await sdk(on).chat.completions.stream(options).finalChatCompletion();
  const call = final.choices[0].message.tool_calls[0];
  on.called(call.function.name, call.function.arguments);
});

client.cell("chat", "tool_result", async (on) => {
  const call = { id: "call_1", type: "function", function: { name: "get_weather", arguments: '{"city":"Oslo"}' } };
  const messages = [...say(WEATHER), { role: "assistant", content: null, tool_calls: [call] }, { role: "tool", tool_call_id: "call_1", content: TOOL_ANSWER }];
  on.said((await chat(on, { messages, tools: TOOLS })).choices[0].message.content, true);
});

client.cell("chat", "structured", async (on) => {
  const response_format = { type: "json_schema", json_schema: { name: "city", schema: SCHEMA, strict: true } };
  on.city((await chat(on, { messages: say(CITY), response_format, max_tokens: 500 })).choices[0].message.content);
});

client.cell("chat", "errors", async (on) => {
  const { model, prompt, status } = on.refused;
  const refused = await raises(kind(status), () => chat(on, { model, messages: say(prompt) }), status);
  on.explained(refused);
  await raises(kind(status), () => chat(on, { model, messages: say(prompt), stream: true }), status);
  if (on.upstream !== "sandbox") return;
  assert.equal(refused.code, "rate_limit_exceeded");
  assert.ok(refused.headers.get("retry-after"));
  await raises(OpenAI.AuthenticationError, () => chat(on, {}, "lk_wrong"), 401);
  await raises(OpenAI.NotFoundError, () => chat(on, { model: "nonesuch" }), 404);
  await assert.rejects(chat(on, {}, on.narrowKey), (error) => [403, 404].includes(error.status));
  await raises(OpenAI.BadRequestError, () => chat(on, { n: 1000 }), 400);
  await raises(OpenAI.BadRequestError, () => chat(on, { model: "sandbox/sandbox-e400" }), 400);
  await raises(OpenAI.InternalServerError, () => chat(on, { model: "sandbox/sandbox-e500" }), 500);
});

client.cell("chat", "stream_error", async (on) => {
  const stream = await chat(on, { model: "sandbox/sandbox-errevent3", stream: true });
  assert.match((await raises(OpenAI.APIError, () => collect(stream))).message, /server had an error/);
}, ["sandbox"]);

client.cell("chat", "hang_up", async (on) => {
  let chunks = 0;
  for await (const _ of await chat(on, { model: "sandbox/sandbox-i20-n500", max_tokens: 500, stream: true })) if (++chunks === 3) break;
  assert.equal(chunks, 3);
}, ["sandbox"]);

client.cell("responses", "create", async (on) => {
  const answer = await respond(on);
  on.said(answer.output_text);
  on.counted(answer.usage.input_tokens, answer.usage.output_tokens);
});

client.cell("responses", "stream", async (on) => {
  const stream = sdk(on).responses.stream({ model: on.model, input: HELLO, max_output_tokens: 64 });
  let text = "";
  stream.on("response.output_text.delta", (event) => (text += event.delta));
  const final = await stream.finalResponse();
  on.said(text);
  assert.equal(final.output_text, text);
  on.counted(final.usage.input_tokens, final.usage.output_tokens);
});

client.cell("responses", "tools", async (on) => {
  const answer = await respond(on, { input: WEATHER, tools: RESPONSES_TOOLS, tool_choice: "required", max_output_tokens: 200 });
  const call = answer.output.find((item) => item.type === "function_call");
  on.called(call.name, call.arguments);
});

client.cell("responses", "tools_stream", async (on) => {
  const options = { model: on.model, input: WEATHER, tools: RESPONSES_TOOLS, tool_choice: "required", max_output_tokens: 200 };
  const final = await sdk(on).responses.stream(options).finalResponse();
  const call = final.output.find((item) => item.type === "function_call");
  on.called(call.name, call.arguments);
});

client.cell("responses", "tool_result", async (on) => {
  const call = { type: "function_call", call_id: "call_1", name: "get_weather", arguments: '{"city":"Oslo"}' };
  const input = [...say(WEATHER), call, { type: "function_call_output", call_id: "call_1", output: TOOL_ANSWER }];
  on.said((await respond(on, { input, tools: RESPONSES_TOOLS })).output_text, true);
});

client.cell("responses", "structured", async (on) => {
  const text = { format: { type: "json_schema", name: "city", schema: SCHEMA, strict: true } };
  on.city((await respond(on, { input: CITY, text, max_output_tokens: 500 })).output_text);
});

client.cell("responses", "errors", async (on) => {
  const { model, prompt, status } = on.refused;
  on.explained(await raises(kind(status), () => respond(on, { model, input: prompt }), status));
  if (on.upstream !== "sandbox") return;
  await raises(OpenAI.AuthenticationError, () => respond(on, {}, "lk_wrong"), 401);
  await raises(OpenAI.NotFoundError, () => respond(on, { model: "nonesuch" }), 404);
});

client.cell("embeddings", "embeddings", async (on) => {
  const answer = await sdk(on).embeddings.create({ model: on.embedder, input: ["hello", "good bye"] });
  const plain = await sdk(on).embeddings.create({ model: on.embedder, input: "hello", encoding_format: "float" });
  const [first, second] = answer.data.map((item) => item.embedding);
  assert.ok(first.length > 3 && first.length === plain.data[0].embedding.length);
  assert.ok(first.every((value, at) => Math.abs(value - plain.data[0].embedding[at]) < 1e-4), "base64 and numbers differ");
  assert.notDeepEqual(first, second);
});

client.cell("models", "models", async (on) => {
  const names = (await collect(await sdk(on).models.list())).map((model) => model.id);
  assert.ok(names.includes("sandbox") && names.includes("limited"), names.join());
  assert.equal((await sdk(on).models.retrieve("sandbox")).id, "sandbox");
  await raises(OpenAI.NotFoundError, () => sdk(on).models.retrieve("nonesuch"), 404);
}, ["sandbox"]);

await client.run();
