"""The checker checked: a gateway that changes something must be noticed. `python3 -m unittest discover tests/wire`"""

import json
import unittest

import check
import corpus
from protocols import PROTOCOLS, SERVED, model_of, of_path
from replay import cut

RECORDING = {
    "id": "pa-1",
    "protocol": "openai.chat",
    "host_kind": "openai",
    "path": "/v1/chat/completions",
    "request_text": '{"messages":[{"role":"user","content":"the \\"model\\": \\"x\\""}],"model":"gpt-4o","stream":true}',
    "status": 200,
    "response_headers": {"content-type": "application/json"},
    "response_text": '{"choices":[]}',
    "stream": False,
    "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
}
SECRET = {"authorization": f"Bearer {check.PROVIDER_KEY}"}


def call(**changes):
    return check.Call({**RECORDING, **changes}, "event", "recorded")


class Requests(unittest.TestCase):
    def problems(self, body, headers=SECRET, path="/v1/chat/completions", times=1):
        one = call()
        check.check_request(one, [(path, headers, body.encode())] * times, True)
        return one.problems

    def test_the_same_bytes_and_an_asked_for_usage_pass(self):
        sent = RECORDING["request_text"]
        self.assertEqual(self.problems(sent), [])
        self.assertEqual(self.problems(sent[:-1] + ',"stream_options":{"include_usage":true}}'), [])

    def test_every_other_change_is_noticed(self):
        sent = RECORDING["request_text"]
        for body in (
            sent.replace(":", ": ", 1),
            sent.replace("gpt-4o", "openai/gpt-4o"),
            sent[:-1] + ',"stream_options":{"include_usage":true,"x":1}}',
            json.dumps({**json.loads(sent), "stream_options": {"include_usage": True}}),
            sent[:-1] + ',"user":"a"}',
        ):
            self.assertTrue(self.problems(body), body)

    def test_headers_paths_and_repetitions_are_noticed(self):
        sent = RECORDING["request_text"]
        self.assertTrue(self.problems(sent, headers={}))
        self.assertTrue(self.problems(sent, headers={**SECRET, "x-api-key": "lk_abc"}))
        self.assertTrue(self.problems(sent, path="/v1/completions"))
        self.assertTrue(self.problems(sent, times=2))
        self.assertTrue(self.problems(sent, times=0))


class Answers(unittest.TestCase):
    def test_other_bytes_and_other_statuses_are_noticed(self):
        same = {"content-type": "application/json"}
        for status, headers, body, good in (
            (200, same, b'{"choices":[]}', True),
            (200, same, b'{"choices": []}', False),
            (200, {"content-type": "application/json; charset=utf-8"}, b'{"choices":[]}', False),
            (502, same, b'{"choices":[]}', False),
        ):
            one = call()
            check.check_answer(one, status, headers, body)
            self.assertEqual(not one.problems, good, one.problems)

    def test_errors_keep_what_programs_read(self):
        recorded = {"status": 400, "response_text": '{"error":{"message":"see https://x.y/z","type":"t","param":"p","code":429}}'}
        origin = {"x-lintel-error-origin": "provider"}
        for body, good in (
            ({"message": "see", "type": "t", "param": "p", "code": "429"}, True),
            ({"message": "see", "type": "t", "param": None, "code": 429}, False),
            ({"message": "see https://x.y/z", "type": "t", "param": "p", "code": 429}, False),
            ({"message": "", "type": "t", "param": "p", "code": 429}, False),
        ):
            one = call(**recorded)
            check.check_answer(one, 400, origin, json.dumps({"error": body}).encode())
            self.assertEqual(not one.problems, good, one.problems)


class Ledger(unittest.TestCase):
    def problems(self, lines, recording=None, **attempt):
        one = call(**(recording or {}))
        listed = [{"meter": meter, "quantity": quantity} for meter, quantity in lines.items()]
        check.check_ledger(one, {"attempts": [{"lines": listed, **attempt}]})
        return one.problems

    def test_wrong_missing_and_invented_usage_are_noticed(self):
        self.assertEqual(self.problems({"input": 10, "output": 5}), [])
        self.assertTrue(self.problems({"input": 10, "output": 6}))
        self.assertTrue(self.problems({"input": 10}))
        self.assertTrue(self.problems({"input": 10, "output": 5}, estimated=True))
        self.assertTrue(self.problems({"input": 10}, {"usage": None}))
        self.assertEqual(self.problems({"input": 10}, {"usage": None}, estimated=True), [])
        self.assertTrue(self.problems({"input": 10}, {"usage": None, "status": 400}))
        one = call()
        check.check_ledger(one, None)
        self.assertTrue(one.problems)


class Usage(unittest.TestCase):
    def check(self, usage, want, protocol="openai.chat", start=None):
        self.assertEqual(corpus.used({**RECORDING, "protocol": protocol, "usage": usage, "usage_start": start}), want)

    def test_reasoning_inside_outside_and_unnamed(self):
        def details(n):
            return {"completion_tokens_details": {"reasoning_tokens": n}}

        self.check({"prompt_tokens": 9, "completion_tokens": 50, "total_tokens": 59, **details(40)}, {"input": 9, "output": 10, "reasoning": 40})
        self.check({"prompt_tokens": 12, "completion_tokens": 2, "total_tokens": 354, **details(340)}, {"input": 12, "output": 2, "reasoning": 340})
        self.check({"prompt_tokens": 35, "completion_tokens": 12, "total_tokens": 109}, {"input": 35, "output": 12, "reasoning": 62})

    def test_anthropic_restates_and_leaves_out(self):
        start = {"input_tokens": 17, "cache_read_input_tokens": 3, "output_tokens": 1}
        self.check({"output_tokens": 227}, {"input": 17, "cache_read": 3, "output": 227}, "anthropic.messages", start)
        self.check({"input_tokens": 40, "output_tokens": 5}, {"input": 40, "cache_read": 3, "output": 5}, "anthropic.messages", start)


    def test_embeddings_may_name_the_total_alone(self):
        self.check({"prompt_tokens": 4, "total_tokens": 4}, {"input": 4}, "openai.embeddings")
        self.check({"total_tokens": 3}, {"input": 3}, "openai.embeddings")
        self.check({"total_tokens": 0}, {}, "openai.embeddings")
        self.check(None, None, "openai.embeddings")

    def test_a_count_is_known_to_use_nothing(self):
        self.check(None, {}, "anthropic.count_tokens")

    def test_responses_have_the_words_of_chat_under_other_names(self):
        usage = {"input_tokens": 9, "output_tokens": 50, "total_tokens": 59}
        details = {"input_tokens_details": {"cached_tokens": 4}, "output_tokens_details": {"reasoning_tokens": 40}}
        self.check({**usage, **details}, {"input": 5, "cache_read": 4, "output": 10, "reasoning": 40}, "openai.responses")
        self.check({**usage, "input_tokens_details": None}, {"input": 9, "output": 50}, "openai.responses")

    def test_gemini_counts_thoughts_and_tools_beside_and_cached_inside(self):
        usage = {
            "promptTokenCount": 100,
            "cachedContentTokenCount": 40,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 70}, {"modality": "AUDIO", "tokenCount": 30}],
            "cacheTokensDetails": [{"modality": "AUDIO", "tokenCount": 10}],
            "toolUsePromptTokenCount": 7,
            "candidatesTokenCount": 5,
            "thoughtsTokenCount": 11,
            "totalTokenCount": 123,
        }
        want = {"input": 47, "cache_read": 40, "input_audio": 20, "output": 5, "reasoning": 11}
        self.check(usage, want, "gemini.generate")
        self.assertEqual(sum(want.values()), usage["totalTokenCount"])
        self.check({"trafficType": "ON_DEMAND"}, None, "gemini.stream")

    def test_bedrock_names_cached_tokens_twice_and_counts_them_beside(self):
        usage = {"inputTokens": 3, "outputTokens": 227, "totalTokens": 1942, "cacheWriteInputTokens": 1712, "cacheWriteInputTokenCount": 1712}
        self.check(usage, {"input": 3, "output": 227, "cache_write_5m": 1712}, "bedrock.converse")


class Protocols(unittest.TestCase):
    def test_a_row_for_every_reader_and_a_place_for_every_row(self):
        self.assertEqual(set(corpus.READERS) | {"anthropic.count_tokens"}, set(PROTOCOLS))
        self.assertLessEqual(set(SERVED), set(PROTOCOLS))
        for name, row in PROTOCOLS.items():
            target = row.sent_to("a/b:c")
            self.assertTrue(target.startswith(row.base), name)
            self.assertEqual([other for other, r in PROTOCOLS.items() if r.reaches(target, "a/b:c")], [name])
            self.assertEqual(of_path(target), None if row.in_path() else name)

    def test_models_stand_in_the_body_or_in_the_path(self):
        path = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
        one = call(protocol="gemini.stream", host_kind="gemini", path=path, request_text='{"contents":[]}')
        self.assertEqual((one.model, one.host), ("gemini-2.5-flash", "gemini-gemini"))
        self.assertEqual(one.protocol.sent_to("gemini-gemini/m"), "/v1beta/models/gemini-gemini/m:streamGenerateContent?alt=sse")
        check.check_request(one, [(path, SECRET, b'{"contents":[]}')], True)
        self.assertEqual(one.problems, [])
        for target in (path.replace("flash", "pro"), path.replace("?alt=sse", "")):
            check.check_request(one, [(target, SECRET, b'{"contents":[]}')], True)
            self.assertTrue(one.problems, target)
            one.problems.clear()
        bedrock = {"id": "pa-2", "path": "/model/us.amazon.nova-v1%3A0/converse"}
        self.assertEqual(model_of(bedrock), "us.amazon.nova-v1:0")

    def test_an_event_stream_is_cut_at_its_frames(self):
        frames = [(12 + n).to_bytes(4, "big") + bytes(8 + n) for n in (0, 5, 300)]
        self.assertEqual(cut(b"".join(frames), "event"), frames)
        self.assertEqual(b"".join(cut(b"\0\0\0\0\0", "event")), b"\0\0\0\0\0")


class Corpus(unittest.TestCase):
    def test_only_the_top_level_model_is_replaced(self):
        text = '{"a":{"model":"x"},"t":"\\"model\\":\\"x\\"", "model" : "x","z":1}'
        self.assertEqual(corpus.with_model(text, "é/y"), text.replace('"model" : "x"', '"model" : "é/y"'))

    def test_styles_are_the_same_document(self):
        for style in corpus.STYLES:
            self.assertEqual(json.loads(corpus.restyle(RECORDING["request_text"], style)), json.loads(RECORDING["request_text"]))


if __name__ == "__main__":
    unittest.main()
