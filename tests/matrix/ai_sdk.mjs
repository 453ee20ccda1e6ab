// The operations of Vercel's AI SDK, which are the same whatever provider package stands below them.

import assert from "node:assert/strict";

import { APICallError, Output, embedMany, generateText, jsonSchema, streamText, tool } from "ai";

import { CITY, DESCRIPTION, HELLO, SCHEMA, TOOL_ANSWER, WEATHER } from "./cell.mjs";

const get_weather = tool({ description: DESCRIPTION, inputSchema: jsonSchema(SCHEMA) });
const FORCED = { tools: { get_weather }, toolChoice: "required", maxOutputTokens: 200 };
const HISTORY = [
  { role: "user", content: WEATHER },
  { role: "assistant", content: [{ type: "tool-call", toolCallId: "call_1", toolName: "get_weather", input: { city: "Oslo" } }] },
  { role: "tool", content: [{ type: "tool-result", toolCallId: "call_1", toolName: "get_weather", output: { type: "text", value: TOOL_ANSWER } }] },
];
const counted = (on, usage) => on.counted(usage.inputTokens, usage.outputTokens);

/** Adds the cells of one surface; `model` makes a language model from an `On`, a model's name and a key. */
export const language = (client, surface, model) => {
  const options = (on, more) => ({ model: model(on, on.model, on.key), maxRetries: 0, maxOutputTokens: 64, ...more });

  client.cell(surface, "create", async (on) => {
    const answer = await generateText(options(on, { prompt: HELLO, system: "Be kind." }));
    on.said(answer.text);
    on.ended(answer.finishReason, "stop", ...(on.upstream === "llama.cpp" ? ["length"] : []));
    counted(on, answer.usage);
  });

  client.cell(surface, "stream", async (on) => {
    let failure;
    const answer = streamText(options(on, { prompt: HELLO, onError: ({ error }) => (failure = error) }));
    let text = "";
    for await (const delta of answer.textStream) text += delta;
    if (failure) throw failure;
    on.said(text);
    on.ended(await answer.finishReason, "stop", "length");
    counted(on, await answer.usage);
  });

  client.cell(surface, "tools", async (on) => {
    const answer = await generateText(options(on, { prompt: WEATHER, ...FORCED }));
    assert.equal(answer.toolCalls.length, 1);
    on.called(answer.toolCalls[0].toolName, answer.toolCalls[0].input);
    on.ended(answer.finishReason, "tool-calls");
  });

  client.cell(surface, "tools_stream", async (on) => {
    let failure;
    const answer = streamText(options(on, { prompt: WEATHER, ...FORCED, onError: ({ error }) => (failure = error) }));
    await answer.consumeStream();
    if (failure) throw failure;
    const calls = await answer.toolCalls;
    assert.equal(calls.length, 1);
    on.called(calls[0].toolName, calls[0].input);
  });

  client.cell(surface, "tool_result", async (on) => {
    const { text } = await generateText(options(on, { messages: HISTORY, tools: { get_weather } }));
    // A result is an object in Gemini's protocol, and which of its members is the text is nobody's rule.
    if (surface === "gemini" && on.upstream === "sandbox") assert.ok(text.includes(TOOL_ANSWER), text);
    else on.said(text, true);
  });

  client.cell(surface, "structured", async (on) => {
    const { output } = await generateText(options(on, { prompt: CITY, output: Output.object({ schema: jsonSchema(SCHEMA) }), maxOutputTokens: 500 }));
    on.city(output);
  });

  client.cell(surface, "errors", async (on) => {
    const { model: name, prompt, status } = on.refused;
    const refused = (name, key, prompt) => {
      let error;
      const call = generateText(options(on, { model: model(on, name, key), prompt }));
      return assert.rejects(call, (caught) => ((error = caught), true)).then(() => {
        assert.ok(APICallError.isInstance(error), `${error.constructor.name}: ${error.message}`);
        return error;
      });
    };
    const limited = await refused(name, on.key, prompt);
    assert.equal(limited.statusCode, status);
    on.explained(limited);
    if (on.upstream !== "sandbox") return;
    assert.equal((await refused(on.model, "lk_wrong", HELLO)).statusCode, 401);
    assert.equal((await refused("nonesuch", on.key, HELLO)).statusCode, 404);
  });
};

/** Adds the cell of embeddings; `model` makes an embedding model from an `On`. */
export const embedding = (client, model) => {
  client.cell("embeddings", "embeddings", async (on) => {
    const { embeddings, usage } = await embedMany({ model: model(on), values: ["hello", "good bye"], maxRetries: 0 });
    assert.equal(embeddings.length, 2);
    // aimock counts no tokens of embeddings.
    assert.ok(embeddings[0].length > 3 && (usage.tokens > 0 || on.upstream === "aimock"));
    assert.notDeepEqual(embeddings[0], embeddings[1]);
  });
};
