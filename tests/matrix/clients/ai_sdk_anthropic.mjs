// Vercel's AI SDK over @ai-sdk/anthropic.

import { createAnthropic } from "@ai-sdk/anthropic";

import { language } from "../ai_sdk.mjs";
import { Client } from "../cell.mjs";

const client = new Client("ai-sdk-anthropic", "AI SDK, @ai-sdk/anthropic", "@ai-sdk/anthropic");
language(client, "messages", (on, name, apiKey) => createAnthropic({ baseURL: `${on.base}/v1`, apiKey })(name));
await client.run();
