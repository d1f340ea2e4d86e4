"""Labels files from Python: opens a run, waits for it, prints its rows. What each step means: docs/wire-format.md.

    pip install bullmq redis
    REDIS_URL=redis://localhost:6379 python3 producer.py --labels fox,bear,owl owl.jpg bear.png

A worker must be running on the same Redis. Files are named as its root has them. The same command with the same --run
may be repeated at any time, after a crash as well: nothing is done twice.
"""

import argparse, asyncio, hashlib, json, os, re, struct, sys, uuid
from datetime import datetime, timezone

import redis.asyncio
from bullmq import Queue

PREFIX, CHUNK_IMAGES, ROW_BUCKETS = "clipfleet", 64, 4

OPEN = """
local model = redis.call('HGET', KEYS[1], 'model')
if not model then
  redis.call('HSET', KEYS[1], 'v', ARGV[4], 'model', ARGV[1], 'labelSet', ARGV[2], 'lane', ARGV[3],
    'createdAt', ARGV[5], 'images', 0, 'pending', 0, 'chunks', 0)
  if (ARGV[6] or '') ~= '' then redis.call('HSET', KEYS[1], 'birth', ARGV[6]) end
  if (ARGV[8] or '') ~= '' then redis.call('HSET', KEYS[1], 'store', ARGV[8], 'storeAddress', ARGV[9]) end
  if ARGV[10] then
    local now = redis.call('TIME')
    local expiresAt = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000) + ARGV[10])
    redis.call('HSET', KEYS[1], 'expiresAt', expiresAt)
    redis.call('PEXPIREAT', KEYS[1], expiresAt)
  end
  return 'ok'
end
if ARGV[7] == 'new' then return 'exists' end
if redis.call('HEXISTS', KEYS[1], 'cancelledAt') == 1 then return 'cancelled' end
if model ~= ARGV[1] then return 'model' end
if redis.call('HGET', KEYS[1], 'labelSet') ~= ARGV[2] then return 'labelSet' end
if redis.call('HGET', KEYS[1], 'lane') ~= ARGV[3] then return 'lane' end
if (redis.call('HGET', KEYS[1], 'store') or '') ~= (ARGV[8] or '') then return 'store' end
redis.call('HDEL', KEYS[1], 'sealedAt')
return 'ok'"""

ANNOUNCE = """
local model, birth, expiresAt = unpack(redis.call('HMGET', KEYS[1], 'model', 'birth', 'expiresAt'))
if not model or ((ARGV[4] or '') ~= '' and ARGV[4] ~= birth) then return -1 end
if redis.call('HEXISTS', KEYS[1], 'cancelledAt') == 1 then return -3 end
local again = tonumber(ARGV[3] or 0) > 0
if not again and redis.call('HEXISTS', KEYS[1], 'sealedAt') == 1 then return -2 end
if redis.call('SETBIT', KEYS[3], ARGV[1], 1) == 0 then
  redis.call('HSET', KEYS[2], ARGV[1], again and (ARGV[2] .. ' ' .. ARGV[3]) or ARGV[2])
  redis.call('HINCRBY', KEYS[1], again and 'retrying' or 'images', ARGV[2])
  redis.call('HINCRBY', KEYS[1], 'pending', ARGV[2])
  if ARGV[5] then redis.call('HINCRBY', KEYS[1], 'announced:' .. ARGV[5], ARGV[2]) end
  if tonumber(redis.call('HGET', KEYS[1], 'chunks')) <= tonumber(ARGV[1]) then
    redis.call('HSET', KEYS[1], 'chunks', ARGV[1] + 1)
  end
  if expiresAt then for i = 2, 3 do redis.call('PEXPIREAT', KEYS[i], expiresAt) end end
end
return tonumber(redis.call('HGET', KEYS[1], 'pending'))"""


async def put_label_set(db, labels):
    label_set = {"v": 1, "labels": [{"label": label} for label in labels], "templates": ["This is a photo of {}."]}
    # Without fractions in it, this is RFC 8785: sorted names, no spaces, characters as they are.
    canonical = json.dumps(label_set, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    label_set_id = hashlib.sha256(canonical.encode()).hexdigest()
    await db.set(f"{PREFIX}:labelset:{label_set_id}", canonical, nx=True)
    return label_set_id


def lane_name(model):
    name = re.sub(r"[^a-z0-9._-]+", "-", model.split("@")[0].lower())[-48:]
    return f"{{bulk-{name}-{hashlib.sha256(model.encode()).hexdigest()[:10]}}}"


async def enqueue(db, run, model, label_set_id, images):
    lane, key = lane_name(model), f"{PREFIX}:run:{{{run}}}"
    answer = await db.eval(OPEN, 1, key, model, label_set_id, lane, 1, now())
    if answer != b"ok":
        sys.exit(f"Run {run} exists with another {answer.decode()}: give another --run.")
    queue = Queue(lane, {"connection": db, "prefix": PREFIX})
    ledger = [key, f"{PREFIX}:chunks:{{{run}}}", f"{PREFIX}:announced:{{{run}}}"]
    for chunk, start in enumerate(range(0, len(images), CHUNK_IMAGES)):
        part = images[start : start + CHUNK_IMAGES]
        if await db.eval(ANNOUNCE, 3, *ledger, chunk, len(part)) < 0:
            sys.exit(f"Run {run} was sealed meanwhile.")
        # Ids and uris in turns; an empty uri is the id.
        job = {"v": 1, "images": [text for image in part for text in (image, "")]}
        options = {"jobId": f"{run}.{chunk}.0", "attempts": 3, "backoff": {"type": "custom"}}
        await queue.add("chunk", job, options)
    await db.hset(key, "sealedAt", now())


async def is_complete(db, run):
    sealed_at, pending = await db.hmget(f"{PREFIX}:run:{{{run}}}", "sealedAt", "pending")
    return sealed_at is not None and int(pending) == 0


async def rows(db, run, labels):
    for bucket in range(ROW_BUCKETS):
        async for image, stored in db.hscan_iter(f"{PREFIX}:rows:{{{run}.{bucket}}}", count=1000):
            yield {"id": image.decode(), **read_row(stored, labels)}


def read_row(stored, labels):
    """Of a row what this example prints: its uri is the id, and fingerprints and the order of the input are left out."""
    at = 0

    def varint():
        nonlocal at
        value, shift, more = 0, 0, True
        while more:
            value, more = value | (stored[at] & 0x7F) << shift, stored[at] & 0x80
            at, shift = at + 1, shift + 7
        return value

    def fixed(form):
        nonlocal at
        at += struct.calcsize(form)
        return struct.unpack_from(form, stored, at - struct.calcsize(form))[0]

    def text(length):
        nonlocal at
        at += length
        return stored[at - length : at].decode()

    rank, _made_at = fixed(">H"), fixed(">I")
    code = text(varint()) if rank % 2 == 0 else None
    _chunk, _index, _uri = varint(), varint(), text(max(varint() - 1, 0))
    if code:
        return {"status": "failed", "error": {"code": code, "message": text(varint())}}
    _fingerprint, head = varint(), varint()
    # These label sets ask for no logits or cosines, else they would follow each score.
    predictions = [{"label": labels[varint()], "score": fixed(">f")} for _ in range(head >> 2)]
    return {"status": "classified", "predictions": predictions}


def now():
    return datetime.now(timezone.utc).isoformat()


async def main():
    parser = argparse.ArgumentParser(description="Labels files through a clipfleet worker.")
    parser.add_argument("files", nargs="+")
    parser.add_argument("--labels", required=True, help="fox,bear,owl")
    parser.add_argument("--model", help="name@revision:dtype, as the worker logs it; else the one that is served")
    parser.add_argument("--run", default=f"python-{uuid.uuid4().hex[:12]}")
    options = parser.parse_args()
    db = redis.asyncio.from_url(os.environ.get("REDIS_URL", "redis://localhost:6379"))
    served = [options.model] if options.model else [key.decode() for key in await db.hkeys(f"{PREFIX}:models")]
    if len(served) != 1:
        sys.exit(f"Expected one model, found {served}: start a worker, or give --model.")
    labels = options.labels.split(",")
    await enqueue(db, options.run, served[0], await put_label_set(db, labels), options.files)
    while not await is_complete(db, options.run):
        await asyncio.sleep(0.1)
    async for row in rows(db, options.run, labels):
        print(json.dumps(row, ensure_ascii=False))
    await db.aclose()


asyncio.run(main())
