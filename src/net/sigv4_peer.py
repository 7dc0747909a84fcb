"""Signs requests with botocore, AWS's own implementation, for sigv4_test: a JSON line in, a JSON line out."""
import json
import sys

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

for line in sys.stdin:
    asked = json.loads(line)
    request = AWSRequest(method=asked["method"], url=asked["url"], headers=dict(asked["headers"]),
                         data=asked["body"].encode())
    keys = Credentials(asked["key"], asked["secret"], asked["token"] or None)
    signer = SigV4Auth(keys, asked["service"], asked["region"])
    # What add_auth does, at a time of our choosing.
    request.context["timestamp"] = asked["time"]
    signer._modify_request_before_signing(request)
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    signer._inject_signature_to_request(request, signature)
    print(json.dumps({"authorization": request.headers["Authorization"], "canonical": canonical,
                      "date": request.headers["X-Amz-Date"],
                      "token": request.headers.get("X-Amz-Security-Token", "")}), flush=True)
