// Vercel's AI SDK over @ai-sdk/google.

import { createGoogleGenerativeAI } from "@ai-sdk/google";

import { language } from "../ai_sdk.mjs";
import { Client } from "../cell.mjs";

const client = new Client("ai-sdk-google", "AI SDK, @ai-sdk/google", "@ai-sdk/google");
language(client, "gemini", (on, name, apiKey) => createGoogleGenerativeAI({ baseURL: `${on.base}/v1beta`, apiKey })(name));
await client.run();
