#!/usr/bin/env python3
"""Ends TLS in front of an address on 127.0.0.1, for clients that send their key over nothing else.

    tls_front.py http://127.0.0.1:8080 CA_FILE

Makes a certificate authority and a certificate for 127.0.0.1, writes the authority's to CA_FILE, prints `listening on
https://127.0.0.1:PORT`, and passes bytes on until standard input ends.
"""

import asyncio
import datetime
import ipaddress
import os
import ssl
import sys
import tempfile
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

DAY = datetime.timedelta(days=1)


def certificate(name, issuer=None, signer=None):
    """A key and its certificate: an authority's own, or one for 127.0.0.1 that an authority signed."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.timezone.utc)
    made = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer or subject).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number()).not_valid_before(now - DAY).not_valid_after(now + DAY)
    made = made.add_extension(x509.BasicConstraints(ca=signer is None, path_length=None), critical=True)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    authority = (signer or key).public_key()
    made = made.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority), critical=False)
    if signer:
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        made = made.add_extension(x509.SubjectAlternativeName([address]), critical=False)
    else:
        usage = dict.fromkeys(("content_commitment", "key_encipherment", "data_encipherment", "key_agreement", "encipher_only", "decipher_only"), False)
        made = made.add_extension(x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage), critical=True)
    return key, made.sign(signer or key, hashes.SHA256())


def pem(thing):
    if isinstance(thing, x509.Certificate):
        return thing.public_bytes(serialization.Encoding.PEM)
    return thing.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


def context(ca_file):
    signer, authority = certificate("lintel test authority")
    with open(ca_file, "wb") as file:
        file.write(pem(authority))
    key, leaf = certificate("127.0.0.1", authority.subject, signer)
    made = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem(key) + pem(leaf))
        file.flush()
        made.load_cert_chain(file.name)
    return made


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


async def serve(target, ca_file):
    async def relay(reader, writer):
        try:
            there, back = await asyncio.open_connection(target.hostname, target.port)
        except OSError:
            return writer.close()
        await asyncio.gather(pump(reader, back), pump(there, writer), return_exceptions=True)

    server = await asyncio.start_server(relay, "127.0.0.1", 0, ssl=context(ca_file))
    print(f"listening on https://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    os._exit(0)


if __name__ == "__main__":
    asyncio.run(serve(urlsplit(sys.argv[1]), sys.argv[2]))
