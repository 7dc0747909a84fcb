"""The service under load, and how its rooms come about: visits over the REST API as a browser gets them, larger rooms
over the Chime API."""
import base64
import datetime
import hashlib
import hmac
import http.client
import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time

KEY = "AKIDBENCHONLY0000000"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Service:
    participants = "127.16.0.0"

    def __init__(self, program, core):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="vc-bench-"))
        self.port = free_port()
        self.secret = secrets.token_hex(16)
        self.api_secret = secrets.token_hex(16)
        env = dict(os.environ, JWT_SECRET_KEY=self.secret, LOG_LEVEL="warning", MEETING_PROVIDER="embedded", MAX_CONNECTIONS="20000",
                   HOST="127.0.0.1", CHIME_API_KEYS=f"{KEY}:{self.api_secret}", RATE_LIMIT="off")
        env.pop("DATABASE_URL", None)
        self.process = subprocess.Popen(
            ["taskset", "-c", core, program, "--port", str(self.port), "--media-port", str(free_port()), "--data", self.folder / "data"],
            env=env, cwd=self.folder, stdout=subprocess.DEVNULL)
        self.pid = self.process.pid
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port)
        deadline = time.monotonic() + 20
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                sys.exit("the service did not start")
            time.sleep(0.01)
        time.sleep(0.5)

    def ready(self):
        try:
            self.connection.request("GET", "/health/ready")
            answer = self.connection.getresponse()
            answer.read()
            return answer.status == 200
        except OSError:
            self.connection.close()
            return False

    def ask(self, method, path, headers, body):
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            sys.exit(f"{method} {path}: {answer.status} {text.decode()[:300]}")
        return json.loads(text)

    def token(self, role, user):
        now = int(time.time())
        text = ".".join(base64url(json.dumps(part).encode()) for part in
                        ({"alg": "HS256", "typ": "JWT"}, {"user_id": user, "role": role, "iat": now, "exp": now + 86400}))
        return f"{text}.{base64url(hmac.digest(self.secret.encode(), text.encode(), 'sha256'))}"

    def new_room(self, number, size):
        """The order to the load tool for one more room."""
        if size == 2:
            return self.new_visit(number)
        path = "/chime/meetings?operation=create-attendees"
        meeting = self.signed("POST", path, {
            "ClientRequestToken": f"bench-{number}-{secrets.token_hex(8)}", "ExternalMeetingId": f"bench-{number}", "MediaRegion": "us-east-1",
            "Attendees": [{"ExternalUserId": f"user-{i}"} for i in range(size)]})
        tokens = [each["JoinToken"] for each in meeting["Attendees"]]
        return f"room chime {self.reachable(meeting['Meeting']['MediaPlacement']['SignalingUrl'])} {' '.join(tokens)}"

    def new_visit(self, number):
        start = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1, minutes=number)
        doctor, patient = self.token("DOCTOR", f"d{number}"), self.token("PATIENT", f"p{number}")

        def post(path, token, body):
            return self.ask("POST", path, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}, json.dumps(body))

        booked = post("/api/video/sessions", patient, {
            "booking_type": "DIRECT_DOCTOR", "doctor_id": f"d{number}", "patient_id": f"p{number}", "clinic_id": 4,
            "scheduled_start_time": start.strftime("%Y-%m-%dT%H:%M:%SZ"), "consultation_duration_minutes": 30, "chief_complaint": "bench"})
        joins = [post(f"/api/video/sessions/{booked['session_id']}/join", token, {}) for token in (patient, doctor)]
        tokens = [each["attendee"]["join_token"] for each in joins]
        return f"room chime {self.reachable(joins[0]['media_placement']['signaling_url'])} {' '.join(tokens)}"

    def reachable(self, url):
        return f"ws://127.0.0.1:{self.port}/{url.split('/', 3)[3]}"

    def signed(self, method, target, body):
        """A request with AWS Signature Version 4, as an AWS SDK signs it."""
        text = json.dumps(body)
        path, _, query = target.partition("?")
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        digest = hashlib.sha256(text.encode()).hexdigest()
        headers = {"content-type": "application/json", "host": f"127.0.0.1:{self.port}", "x-amz-content-sha256": digest, "x-amz-date": now}
        names = ";".join(sorted(headers))
        lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
        scope = f"{now[:8]}/us-east-1/chime/aws4_request"
        request = hashlib.sha256(f"{method}\n{path}\n{query}\n{lines}\n{names}\n{digest}".encode()).hexdigest()
        key = f"AWS4{self.api_secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.digest(key, f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{request}".encode(), "sha256").hex()
        headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={KEY}/{scope}, SignedHeaders={names}, Signature={signature}"
        return self.ask(method, target, headers, text)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.folder)
