"""A gateway asked with Hugging Face's own client.

    pip install huggingface_hub
    CLIPFLEET_URL=http://localhost:8321 CLIPFLEET_KEY=... python3 gateway_huggingface.py pictures/owl.jpg
"""

import os, sys

from huggingface_hub import InferenceClient

url = os.environ.get("CLIPFLEET_URL", "http://localhost:8321")
client = InferenceClient(model=f"{url}/v1/classify", token=os.environ.get("CLIPFLEET_KEY", "none"))
for picture in sys.argv[1:]:
    answer = client.zero_shot_image_classification(
        picture, candidate_labels=["fox", "bear", "owl"], hypothesis_template="This is a photo of {}."
    )
    print(picture, answer[0].label, f"{answer[0].score:.3f}")
