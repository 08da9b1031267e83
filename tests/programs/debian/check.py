"""Python 3 at work: digests, big integers, floats as text, decimals, JSON, regular expressions, threads,
SQLite. Prints the same wherever it runs; tests/scenario/debian.sh compares guest and host."""
import decimal
import fractions
import hashlib
import json
import math
import random
import re
import sqlite3
import struct
import threading
import zlib

DATA = bytes(i * i * 7 + (i >> 3) & 0xff for i in range(100000))


def digests():
    for name in "md5 sha1 sha224 sha256 sha384 sha512 sha3_256 blake2b blake2s".split():
        print(name, hashlib.new(name, DATA).hexdigest())
    print("hmac", hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 1000).hex())
    packed = zlib.compress(DATA, 9)
    print("zlib", zlib.decompress(packed) == DATA, zlib.crc32(DATA), zlib.adler32(DATA))


def numbers():
    print(math.factorial(150))
    print(pow(3, 10 ** 30, 10 ** 40 + 121), (1 << 521) - 1)
    print([repr(x / 7) for x in range(-3, 4)], float("1e308") * 10, -0.0)
    print(sum(1 / n for n in range(1, 2000)), math.fsum(0.1 for _ in range(1000)))
    decimal.getcontext().prec = 60
    print(decimal.Decimal(2).sqrt(), decimal.Decimal(1) / 97)
    print(sum(fractions.Fraction(1, n) for n in range(1, 40)))
    chance = random.Random(42)
    print([chance.getrandbits(40) for _ in range(5)], chance.random(), chance.sample(range(100), 5))
    print(struct.pack(">dfqIHb", 1.5, -2.25, -3, 4, 5, -6).hex(), struct.unpack("<d", struct.pack("<d", 1 / 3)))


def texts():
    text = json.dumps({"b": [1, 2.5, None, True], "a": "\u00e9\u4e2d", "c": {"x": -1e-7}}, sort_keys=True)
    print(text, json.loads(text)["a"].encode("utf-16-be").hex())
    print(re.sub(r"(\w+) (\w+)", r"\2 \1", "hello world of tests"), re.findall(r"\d+", "a1b22c333"))
    print(sorted("the quick brown fox jumps over the lazy dog".split(), key=lambda w: (len(w), w)))
    print(f"{123456789:,} {3.14159:>10.2f} {255:#x} {'mid':^9}|", "%08.3f" % 2.5)


def threads():
    total, lock = [0], threading.Lock()

    def add(n):
        for i in range(n):
            with lock:
                total[0] += i
    workers = [threading.Thread(target=add, args=(1000 + k,)) for k in range(4)]
    for w in workers:
        w.start()
    for w in workers:
        w.join()
    print("threads", total[0])


def database():
    db = sqlite3.connect(":memory:")
    db.execute("create table t (k integer primary key, v real, s text)")
    db.executemany("insert into t values (?, ?, ?)", [(i, i / 8, f"row {i * 7 % 13}") for i in range(500)])
    print(db.execute("select count(*), sum(v), min(s), max(s) from t where k % 3 = 1").fetchone())
    print(db.execute("select s, count(*), total(v) from t group by s order by s limit 5").fetchall())


digests()
numbers()
texts()
threads()
database()
