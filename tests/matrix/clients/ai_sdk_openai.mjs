// Vercel's AI SDK over @ai-sdk/openai: its default, which is the Responses API, and chat completions.

import { createOpenAI } from "@ai-sdk/openai";

import { embedding, language } from "../ai_sdk.mjs";
import { Client } from "../cell.mjs";

const client = new Client("ai-sdk-openai", "AI SDK, @ai-sdk/openai", "@ai-sdk/openai");
const provider = (on, apiKey = on.key) => createOpenAI({ baseURL: `${on.base}/v1`, apiKey });
language(client, "responses", (on, name, key) => provider(on, key)(name));
language(client, "chat", (on, name, key) => provider(on, key).chat(name));
embedding(client, (on) => provider(on).textEmbeddingModel(on.embedder));
await client.run();
