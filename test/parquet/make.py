"""Writes the Parquet files beside it, with pyarrow: `python test/parquet/make.py`.

They are written by another library than the one that reads them, in the forms that data sets come in.
"""

from pathlib import Path

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
