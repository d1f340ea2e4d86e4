"""Vectors of texts and pictures from a gateway, with OpenAI's own client: prints the text that is nearest to each picture.

    pip install openai
    CLIPFLEET_URL=http://localhost:8321 CLIPFLEET_KEY=... python3 gateway_openai.py pictures/owl.jpg
"""

import base64, os, sys

from openai import OpenAI

url = os.environ.get("CLIPFLEET_URL", "http://localhost:8321")
client = OpenAI(base_url=f"{url}/v1", api_key=os.environ.get("CLIPFLEET_KEY", "none"))
model = os.environ.get("CLIPFLEET_MODEL", "demo")

texts = [f"This is a photo of {label}." for label in ("fox", "bear", "owl")]
pictures = sys.argv[1:]
images = []
for picture in pictures:
    with open(picture, "rb") as file:
        images.append("data:;base64," + base64.b64encode(file.read()).decode())

answer = client.embeddings.create(model=model, input=texts + images)
vectors = [item.embedding for item in answer.data]
for picture, vector in zip(pictures, vectors[len(texts) :]):
    # All vectors have the length 1, so that the dot product is the cosine.
    cosines = [sum(a * b for a, b in zip(vector, of_text)) for of_text in vectors[: len(texts)]]
    print(picture, texts[cosines.index(max(cosines))])
