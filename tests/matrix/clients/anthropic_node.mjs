// The official Anthropic SDK for Node.

import assert from "node:assert/strict";

import Anthropic from "@anthropic-ai/sdk";

import { CITY, Client, DESCRIPTION, HELLO, SCHEMA, TOOL_ANSWER, WEATHER, collect, raises } from "../cell.mjs";

const client = new Client("anthropic-node", "@anthropic-ai/sdk (Node)", "@anthropic-ai/sdk");
const TOOLS = [{ name: "get_weather", description: DESCRIPTION, input_schema: SCHEMA }];
const sdk = (on, apiKey = on.key) => new Anthropic({ baseURL: on.base, apiKey, maxRetries: 0, timeout: 30_000 });
const say = (content) => [{ role: "user", content }];
const body = (on, options) => ({ model: on.model, messages: say(HELLO), max_tokens: 64, ...options });
const send = (on, options = {}, key = on.key) => sdk(on, key).messages.create(body(on, options));
const theCall = (answer) => answer.content.find((block) => block.type === "tool_use");
const kind = (status) => (status === 429 ? Anthropic.RateLimitError : Anthropic.BadRequestError);

client.cell("messages", "create", async (on) => {
  const answer = await send(on);
  assert.deepEqual([answer.type, answer.role, answer.content[0].type], ["message", "assistant", "text"]);
  on.said(answer.content[0].text);
  on.counted(answer.usage.input_tokens, answer.usage.output_tokens);
});

client.cell("messages", "stream", async (on) => {
  const stream = sdk(on).messages.stream(body(on));
  let text = "";
  stream.on("text", (delta) => (text += delta));
  const final = await stream.finalMessage();
  on.said(text);
  assert.equal(final.content[0].text, text);
  on.ended(final.stop_reason, "end_turn", "max_tokens");
  on.counted(final.usage.input_tokens, final.usage.output_tokens);
});

client.cell("messages", "tools", async (on) => {
  const answer = await send(on, { messages: say(WEATHER), tools: TOOLS, tool_choice: { type: "any" }, max_tokens: 200 });
  on.called(theCall(answer).name, theCall(answer).input);
  on.ended(answer.stop_reason, "tool_use");
});

client.cell("messages", "tools_stream", async (on) => {
  const final = await sdk(on).messages.stream(body(on, { messages: say(WEATHER), tools: TOOLS, tool_choice: { type: "any" }, max_tokens: 200 })).finalMessage();
  on.called(theCall(final).name, theCall(final).input);
});

client.cell("messages", "tool_result", async (on) => {
  const call = { type: "tool_use", id: "toolu_1", name: "get_weather", input: { city: "Oslo" } };
  const result = { type: "tool_result", tool_use_id: "toolu_1", content: TOOL_ANSWER };
  const messages = [...say(WEATHER), { role: "assistant", content: [call] }, { role: "user", content: [result] }];
  on.said((await send(on, { messages, tools: TOOLS })).content[0].text, true);
});

client.cell("messages", "structured", async (on) => {
  const output_config = { format: { type: "json_schema", schema: SCHEMA } };
  on.city((await send(on, { messages: say(CITY), output_config, max_tokens: 500 })).content[0].text);
});

client.cell("messages", "count_tokens", async (on) => {
  const count = async (text) => (await sdk(on).messages.countTokens({ model: on.model, messages: say(text) })).input_tokens;
  const [few, many] = [await count(HELLO), await count(HELLO.repeat(50))];
  assert.ok(0 < few && few < many && many < 2500, `${few}, ${many}`);
});

client.cell("messages", "models", async (on) => {
  const names = (await collect(sdk(on).models.list())).map((model) => model.id);
  assert.ok(names.includes("sandbox") && names.includes("limited"), names.join());
  assert.equal((await sdk(on).models.retrieve("sandbox")).id, "sandbox");
}, ["sandbox"]);

client.cell("messages", "errors", async (on) => {
  const { model, prompt, status } = on.refused;
  const refused = await raises(kind(status), () => send(on, { model, messages: say(prompt) }), status);
  on.explained(refused);
  if (status === 429) assert.equal(refused.error.error.type, "rate_limit_error");
  if (on.upstream !== "sandbox") return;
  const wrong = await raises(Anthropic.AuthenticationError, () => send(on, {}, "lk_wrong"), 401);
  assert.equal(wrong.error.error.type, "authentication_error");
  await raises(Anthropic.NotFoundError, () => send(on, { model: "nonesuch" }), 404);
  await raises(Anthropic.BadRequestError, () => send(on, { model: "sandbox/sandbox-e400" }), 400);
  await raises(Anthropic.InternalServerError, () => send(on, { model: "sandbox/sandbox-e500" }), 500);
});

client.cell("messages", "stream_error", async (on) => {
  const stream = await send(on, { model: "sandbox/sandbox-errevent3", stream: true });
  await assert.rejects(collect(stream), (error) => error instanceof Anthropic.APIError && /overloaded_error/i.test(error.message));
}, ["sandbox"]);

await client.run();
