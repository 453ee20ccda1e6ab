// Google's Gen AI SDK for Node, as it speaks to the Gemini API.

import assert from "node:assert/strict";

import { ApiError, GoogleGenAI } from "@google/genai";

import { CITY, Client, DESCRIPTION, HELLO, SCHEMA, TOOL_ANSWER, WEATHER, collect, raises } from "../cell.mjs";

const client = new Client("google-genai-node", "@google/genai (Node)", "@google/genai");
const tools = [{ functionDeclarations: [{ name: "get_weather", description: DESCRIPTION, parametersJsonSchema: SCHEMA }] }];
const FORCED = { tools, toolConfig: { functionCallingConfig: { mode: "ANY" } }, maxOutputTokens: 200 };
const models = (on, apiKey = on.key) => new GoogleGenAI({ apiKey, httpOptions: { baseUrl: on.base, timeout: 30_000 } }).models;
const body = (on, contents, config) => ({ model: on.model, contents, config: { maxOutputTokens: 64, ...config } });
const generate = (on, contents = HELLO, config = {}) => models(on).generateContent(body(on, contents, config));

client.cell("gemini", "create", async (on) => {
  const answer = await generate(on, HELLO, { systemInstruction: "Be kind." });
  on.said(answer.text);
  on.ended(answer.candidates[0].finishReason, "STOP", ...(on.upstream === "llama.cpp" ? ["MAX_TOKENS"] : []));
  on.counted(answer.usageMetadata.promptTokenCount, answer.usageMetadata.candidatesTokenCount);
});

client.cell("gemini", "stream", async (on) => {
  const chunks = await collect(await models(on).generateContentStream(body(on, HELLO)));
  on.said(chunks.map((chunk) => chunk.text ?? "").join(""));
  on.ended(chunks.at(-1).candidates[0].finishReason, "STOP", "MAX_TOKENS");
  on.counted(chunks.at(-1).usageMetadata.promptTokenCount, chunks.at(-1).usageMetadata.candidatesTokenCount);
});

client.cell("gemini", "tools", async (on) => {
  const [call] = (await generate(on, WEATHER, FORCED)).functionCalls;
  on.called(call.name, call.args);
});

client.cell("gemini", "tools_stream", async (on) => {
  const chunks = await collect(await models(on).generateContentStream(body(on, WEATHER, FORCED)));
  const calls = chunks.flatMap((chunk) => chunk.functionCalls ?? []);
  assert.equal(calls.length, 1);
  on.called(calls[0].name, calls[0].args);
});

client.cell("gemini", "tool_result", async (on) => {
  const history = [
    { role: "user", parts: [{ text: WEATHER }] },
    { role: "model", parts: [{ functionCall: { name: "get_weather", args: { city: "Oslo" } } }] },
    { role: "user", parts: [{ functionResponse: { name: "get_weather", response: { result: TOOL_ANSWER } } }] },
  ];
  const { text } = await generate(on, history, { tools });
  assert.ok(on.upstream === "llama.cpp" ? text : text.includes(TOOL_ANSWER), text);
});

client.cell("gemini", "structured", async (on) => {
  on.city((await generate(on, CITY, { responseMimeType: "application/json", responseJsonSchema: SCHEMA, maxOutputTokens: 500 })).text);
});

client.cell("gemini", "errors", async (on) => {
  const { model, prompt, status } = on.refused;
  on.explained(await raises(ApiError, () => models(on).generateContent({ model, contents: prompt }), status));
  if (on.upstream !== "sandbox") return;
  await raises(ApiError, () => models(on, "lk_wrong").generateContent({ model: on.model, contents: HELLO }), 401);
  await raises(ApiError, () => models(on).generateContent({ model: "nonesuch", contents: HELLO }), 404);
});

await client.run();
