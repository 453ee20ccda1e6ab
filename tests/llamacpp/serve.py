#!/usr/bin/env python3
"""Serves a GGUF file with llama.cpp's own server on 127.0.0.1 until its standard input ends.

    serve.py MODEL.gguf [--alias tiny] [--embedding]

Prints `listening on http://127.0.0.1:PORT` once it answers. Ending with standard input means that no
server outlives the test that started it, however that test ends.
"""

import argparse
import sys

import xllamacpp


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("model")
    arguments.add_argument("--alias", default="tiny")
    arguments.add_argument("--embedding", action="store_true", help="serve embeddings and nothing else")
    given = arguments.parse_args()

    parameters = xllamacpp.CommonParams()
    parameters.model.path = given.model
    parameters.model_alias = {given.alias}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.n_ctx = 4096
    parameters.n_parallel = 4
    parameters.use_jinja = True
    parameters.cpuparams.n_threads = 1
    if given.embedding:
        parameters.embedding = True
        parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
    # The likeliest token, always: a random one is now and then the end, and an empty answer proves nothing.
    parameters.sampling.temp = 0.0
    server = xllamacpp.Server(parameters)
    print(f"listening on {server.listening_address}", flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
