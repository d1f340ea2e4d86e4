"""Writes the Parquet files beside it, with pyarrow: `python test/parquet/make.py`.

They are written by another library than the one that reads them, in the forms that data sets come in.
"""

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import pyarrow as pa
import pyarrow.parquet as pq

here = Path(__file__).parent
pictures = ["owl.jpg", "car.jpg", None, "cat.webp", "fox.jpg"]
paths = [name and f"../../examples/pictures/{name}" for name in pictures]

# As img2dataset leaves them: several row groups, texts as keys, a column beside it that nobody needs.
table = pa.table(
    {
        "caption": ["a caption"] * 5,
        "url": paths,
        "key": [f"{number:09}" for number in range(5)],
        "exif": ["{}"] * 5,
    }
)
pq.write_table(table, here / "snappy.parquet", compression="snappy", row_group_size=2)

# The other codecs, pages of version 2, whole numbers as ids, a column of lists.
table = pa.table({"tags": [["a", "b"]] * 5, "ID": pa.array(range(5), pa.int64()), "file_name": paths})
for codec in ["zstd", "gzip", "brotli", "none"]:
    pq.write_table(table, here / f"{codec}.parquet", compression=codec, data_page_version="2.0")

# As Hugging Face has them: the images themselves.
image = pa.array([{"bytes": b"123", "path": "a.jpg"}])
pq.write_table(pa.table({"image": image, "label": [1]}), here / "images.parquet")

# Ids of every kind that has a written form, one column each; the values are those a float64 would change.
ids = pa.table(
    {
        "url": ["a.jpg", "b.jpg"],
        "big": pa.array([1234567890123456781, 1234567890123456782], pa.int64()),
        "unsigned": pa.array([18446744073709551614, 18446744073709551615], pa.uint64()),
        "decimal": pa.array([Decimal("12345678901234567.81"), Decimal("-0.05")], pa.decimal128(19, 2)),
        "short_decimal": pa.array([Decimal("1.20"), Decimal("3.00")], pa.decimal128(5, 2)),
        "whole_decimal": pa.array([Decimal("12345678901234567890123"), Decimal("7")], pa.decimal128(30, 0)),
        "micros": pa.array([datetime(2026, 11, 27, 1, 2, 3, 456789), datetime(1969, 12, 31, 23, 59, 59, 999999)], pa.timestamp("us")),
        "millis": pa.array([datetime(2026, 11, 27, 1, 2, 3, 456000)] * 2, pa.timestamp("ms")),
        "nanos": pa.array([1_700_000_000_123_456_789, 1_700_000_000_123_456_790], pa.timestamp("ns")),
        "day": pa.array([date(2026, 11, 27), date(1969, 12, 31)], pa.date32()),
        "uuid": pa.array([UUID("01234567-89ab-cdef-0123-456789abcdef").bytes] * 2, pa.uuid()),
        "fixed": pa.array([bytes.fromhex("00ff10")] * 2, pa.binary(3)),
        "binary": pa.array([b"text", bytes.fromhex("ff00")], pa.binary()),
        "float": pa.array([1.5, 2.0], pa.float64()),
        "flag": pa.array([True, False]),
    }
)
pq.write_table(ids, here / "ids.parquet")
