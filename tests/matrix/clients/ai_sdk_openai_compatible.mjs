// Vercel's AI SDK over @ai-sdk/openai-compatible.

import { createOpenAICompatible } from "@ai-sdk/openai-compatible";

import { embedding, language } from "../ai_sdk.mjs";
import { Client } from "../cell.mjs";

const client = new Client("ai-sdk-openai-compatible", "AI SDK, @ai-sdk/openai-compatible", "@ai-sdk/openai-compatible");
const options = { name: "lintel", includeUsage: true, supportsStructuredOutputs: true };
const provider = (on, apiKey = on.key) => createOpenAICompatible({ ...options, baseURL: `${on.base}/v1`, apiKey });
language(client, "chat", (on, name, key) => provider(on, key)(name));
embedding(client, (on) => provider(on).textEmbeddingModel(on.embedder));
await client.run();
