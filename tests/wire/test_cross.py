"""The judges of translation judged: what is lost, invalid or wrong must be noticed. Needs the SDKs of .test/venv."""

import json
import unittest

import lost
import mutate
import published
import rules
import said
import sdk

CHAT = {"model": "m", "messages": [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}], "seed": 7, "max_tokens": 9}
CLAUDE = {"model": "m", "max_tokens": 9, "system": "be kind", "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}]}
CALL = {"type": "tool_use", "id": "t", "name": "f", "input": {}}


def losses(client, received, *notes):
    return list(lost.lost("openai.chat", client, "anthropic.messages", received, list(notes)))


class Losses(unittest.TestCase):
    def test_what_is_carried_or_named_is_no_loss(self):
        self.assertEqual(losses(CHAT, CLAUDE, "$.seed"), [])

    def test_every_silent_loss_is_noticed(self):
        self.assertTrue(losses(CHAT, CLAUDE))
        for received in (
            {**CLAUDE, "system": "be"},
            {**CLAUDE, "max_tokens": 10},
            {**CLAUDE, "messages": []},
            {**CLAUDE, "system": "hi", "messages": [{"role": "user", "content": "be kind"}]},
            {**CLAUDE, "system": "be kind. Answer in JSON."},
        ):
            self.assertTrue(losses(CHAT, received, "$.seed"), received)
        for more in ({"n": 3}, {"tool_choice": "required"}, {"response_format": {"type": "json_object"}}, {"reasoning_effort": "high"}, {"stop": ["x"]}, {"parallel_tool_calls": False, "tools": []}):
            if "tools" not in more:
                self.assertTrue(losses({**CHAT, **more}, CLAUDE, "$.seed"), more)

    def test_order_counts(self):
        turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]
        self.assertEqual(losses({"messages": turns}, {"messages": turns}), [])
        self.assertTrue(losses({"messages": turns}, {"messages": turns[::-1][:2] + turns[:1]}))


class Published(unittest.TestCase):
    def test_unknown_missing_and_wrong_members_are_refused(self):
        self.assertIsNone(published.request("anthropic.messages", CLAUDE))
        self.assertIsNone(published.request("openai.chat", CHAT))
        for protocol, document in (
            ("anthropic.messages", {**CLAUDE, "seed": 7}),
            ("anthropic.messages", {key: value for key, value in CLAUDE.items() if key != "max_tokens"}),
            ("anthropic.messages", {**CLAUDE, "messages": [{"role": "user", "content": [{"type": "text", "text": "hi", "x": 1}]}]}),
            ("openai.chat", {**CHAT, "top_k": 4}),
            ("openai.chat", {**CHAT, "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {}}]}]}),
        ):
            self.assertTrue(published.request(protocol, document), document)

    def test_answers_need_their_members(self):
        self.assertTrue(published.whole("openai.chat", {"choices": []}))
        self.assertTrue(published.event("anthropic.messages", {"type": "hologram"}))


class Rules(unittest.TestCase):
    def test_what_servers_refuse_is_refused(self):
        user, model = CLAUDE["messages"][0], {"role": "assistant", "content": [CALL]}
        result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]}
        self.assertEqual(rules.broken("anthropic.messages", {**CLAUDE, "messages": [user, model, result]}), [])
        for messages in ([user, user], [user, model, user], [user, result], [user, {"role": "assistant", "content": [{**CALL, "id": "a.b"}]}, result], [{"role": "user", "content": " "}]):
            self.assertTrue(rules.broken("anthropic.messages", {**CLAUDE, "messages": messages}), messages)
        call = {"role": "assistant", "tool_calls": [{"id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]}
        answer = {"role": "tool", "tool_call_id": "a", "content": "x"}
        self.assertEqual(rules.broken("openai.chat", {"messages": [call, answer]}), [])
        for messages in ([call], [answer], [call, {**answer, "tool_call_id": "b"}], [{"role": "user", "content": []}]):
            self.assertTrue(rules.broken("openai.chat", {"messages": messages}), messages)


class Said(unittest.TestCase):
    def test_a_stream_says_what_the_sdk_reads(self):
        chunk = lambda delta, finish=None: {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
        call = lambda index, **function: {"tool_calls": [{"index": index, "id": f"c{index}", "type": "function", "function": function}]}
        chunks = [chunk({"role": "assistant", "content": "a b"}), chunk(call(0, name="f", arguments="{\"x\":")), chunk({"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]}), chunk({}, "tool_calls")]
        body = "".join(f"data: {json.dumps(one)}\n\n" for one in chunks).encode() + b"data: [DONE]\n\n"
        plain = said.streamed("openai.chat", body)
        self.assertEqual(plain, said.Answer("ab", "", (("f", '{"x": 1}'),), "tools"))
        self.assertEqual(said.answer("openai.chat", sdk.read("openai.chat", body, True)), plain)


class Mutations(unittest.TestCase):
    def test_the_same_seed_mutates_the_same_and_says_the_same(self):
        reply = {"content": [{"type": "text", "text": "hi"}, CALL], "stop_reason": "tool_use", "usage": {"input_tokens": 1}}
        recording = {"id": "pa-1", "protocol": "anthropic.messages", "status": 200, "stream": False, "request_text": json.dumps(CLAUDE), "response_text": json.dumps(reply)}
        one, two = mutate.mutated(recording, 1), mutate.mutated(recording, 1)
        self.assertEqual(one, two)
        self.assertNotEqual(one, mutate.mutated(recording, 2))
        self.assertNotEqual(one["response_text"], recording["response_text"])
        changed = json.loads(one["response_text"])
        self.assertEqual(said.answer("anthropic.messages", changed), said.answer("anthropic.messages", reply))
        self.assertEqual(changed["usage"], reply["usage"])


if __name__ == "__main__":
    unittest.main()
