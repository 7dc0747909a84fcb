#!/usr/bin/python3
"""A stand-in for AWS's "Chime SDK Meetings" API (2021-07-15), for tests: one process, everything in memory.

Every signature is checked with botocore's own SigV4, every parameter against the limits that AWS publishes. What AWS
does to its callers can be ordered below /_control (JSON, unsigned): delay, throttling, failures, silence, broken
connections, meetings that end by themselves, events as an EventBridge API destination delivers them.

    chime.py --port 8700 --key AKID --secret SECRET [--token SESSION_TOKEN]

It listens on 127.0.0.1, says `listening PORT` on its standard output, and ends when its standard input does.
"""
import argparse
import asyncio
import hashlib
import json
import random
import re
import sys
import threading
import time
import uuid
from urllib.parse import parse_qsl, urlsplit

from chime_api import OPERATIONS, Refusal, bad_request, check_signature, not_found, resource, route

ACCOUNT = "111122223333"
MAX_BODY = 1 << 20


# --- the service ------------------------------------------------------------------------------------------------------


class Service:
    def __init__(self, known):
        self.initial = dict(known)
        self.reset()

    def reset(self):
        self.known = dict(self.initial)
        self.meetings, self.by_token, self.in_creation = {}, {}, set()
        self.calls, self.faults, self.latencies = [], [], {}

    # meetings and attendees

    def new_meeting(self, body, region):
        meeting_id = str(uuid.uuid4())
        cell = f"m{random.randint(1, 3)}.{body['MediaRegion'].replace('-', '')[:4]}"
        screen = f"wss://bitpw.{cell}.app.chime.aws:443"
        shown = {
            "MeetingId": meeting_id,
            "ExternalMeetingId": body["ExternalMeetingId"],
            "MediaRegion": body["MediaRegion"],
            "MediaPlacement": {
                "AudioHostUrl": f"{uuid.uuid4().hex[:32]}.k.{cell}.app.chime.aws:3478",
                "AudioFallbackUrl": f"wss://haxrp.{cell}.app.chime.aws:443/calls/{meeting_id}",
                "SignalingUrl": f"wss://signal.{cell}.app.chime.aws/control/{meeting_id}",
                "TurnControlUrl": f"https://2713.cell.{body['MediaRegion']}.meetings.chime.aws/v2/turn_sessions",
                "ScreenDataUrl": f"{screen}/v2/screen/{meeting_id}",
                "ScreenViewingUrl": f"{screen}/ws/connect?passcode=null&viewer_uuid=null&X-BitHub-Call-Id={meeting_id}",
                "ScreenSharingUrl": f"{screen}/v2/screen/{meeting_id}",
                "EventIngestionUrl": f"https://data.svc.{cell}.ingest.chime.aws/v1/client-events",
            },
            "MeetingArn": f"arn:aws:chime:{region}:{ACCOUNT}:meeting/{meeting_id}",
            "TenantIds": body.get("TenantIds", []),
        }
        for name in ("MeetingHostId", "MeetingFeatures", "PrimaryMeetingId"):
            if name in body:
                shown[name] = body[name]
        meeting = {"shown": shown, "attendees": {}, "ended": None, "transcription": None, "request": body,
                   "tags": {tag["Key"]: tag["Value"] for tag in body.get("Tags", [])}}
        self.meetings[meeting_id] = meeting
        return meeting

    def meeting(self, meeting_id):
        meeting = self.meetings.get(meeting_id)
        if not meeting or meeting["ended"]:
            raise not_found(f"Meeting {meeting_id}")
        return meeting

    def attendee(self, meeting, attendee_id):
        if attendee_id not in meeting["attendees"]:
            raise not_found(f"Attendee {attendee_id}")
        return meeting["attendees"][attendee_id]

    def check_features(self, features, wanted):
        for part in ("Video", "Content"):
            off = features.get(part, {}).get("MaxResolution") == "None"
            if off and wanted and wanted[part] != "None":
                raise bad_request(f"{part} is switched off for this meeting")

    def add_attendee(self, meeting, item):
        self.check_features(meeting["shown"].get("MeetingFeatures", {}), item.get("Capabilities"))
        for attendee in meeting["attendees"].values():
            if attendee["ExternalUserId"] == item["ExternalUserId"]:
                return attendee
        if len(meeting["attendees"]) >= 250:
            raise Refusal(400, "LimitExceededException", "a meeting has at most 250 attendees")
        attendee_id = str(uuid.uuid4())
        attendee = {
            "ExternalUserId": item["ExternalUserId"],
            "AttendeeId": attendee_id,
            "JoinToken": hashlib.sha256(f"{attendee_id}{random.random()}".encode()).hexdigest() * 2,
            "Capabilities": item.get("Capabilities", dict.fromkeys(("Audio", "Video", "Content"), "SendReceive")),
        }
        meeting["attendees"][attendee_id] = attendee
        return attendee

    def add_attendees(self, meeting, items):
        attendees, errors = [], []
        for item in items:
            try:
                if meeting["ended"]:
                    raise not_found("Meeting")
                attendees.append(self.add_attendee(meeting, item))
            except Refusal as refusal:
                errors.append({"ExternalUserId": item["ExternalUserId"], "ErrorCode": refusal.code, "ErrorMessage": refusal.message})
        return {"Attendees": attendees, "Errors": errors}

    def create(self, body, region):
        """The same token with the same body gives the same meeting, also when that has ended."""
        token, content = (region, body["ClientRequestToken"]), json.dumps(body, sort_keys=True)
        if token in self.by_token:
            used_for, meeting = self.by_token[token]
            if used_for != content:
                raise Refusal(409, "ConflictException", "the client request token was used with other parameters")
            return meeting
        meeting = self.new_meeting(body, region)
        self.by_token[token] = (content, meeting)
        return meeting

    # operations: path ids, query, body, region → answer or None

    def op_create_meeting(self, ids, query, body, region):
        return {"Meeting": self.create(body, region)["shown"]}

    def op_create_meeting_with_attendees(self, ids, query, body, region):
        external = [item["ExternalUserId"] for item in body["Attendees"]]
        if len(set(external)) != len(external):
            raise bad_request("the same ExternalUserId twice")
        meeting = self.create(body, region)
        return {"Meeting": meeting["shown"], **self.add_attendees(meeting, body["Attendees"])}

    def op_get_meeting(self, ids, query, body, region):
        return {"Meeting": self.meeting(ids["m"])["shown"]}

    def op_delete_meeting(self, ids, query, body, region):
        self.meeting(ids["m"])["ended"] = time.time()

    def op_create_attendee(self, ids, query, body, region):
        return {"Attendee": self.add_attendee(self.meeting(ids["m"]), body)}

    def op_batch_create_attendee(self, ids, query, body, region):
        return self.add_attendees(self.meeting(ids["m"]), body["Attendees"])

    def op_list_attendees(self, ids, query, body, region):
        meeting = self.meeting(ids["m"])
        size = query.get("max-results", "50")
        if not size.isdigit() or not 1 <= int(size) <= 100:
            raise bad_request("max-results must be from 1 to 100")
        start = query.get("next-token", "0")
        if not start.isdigit():
            raise bad_request("next-token is not one that was given")
        start, everybody = int(start), list(meeting["attendees"].values())
        end = start + int(size)
        answer = {"Attendees": everybody[start:end]}
        return {**answer, "NextToken": str(end)} if end < len(everybody) else answer

    def op_get_attendee(self, ids, query, body, region):
        return {"Attendee": self.attendee(self.meeting(ids["m"]), ids["a"])}

    def op_delete_attendee(self, ids, query, body, region):
        meeting = self.meeting(ids["m"])
        self.attendee(meeting, ids["a"])
        del meeting["attendees"][ids["a"]]

    def op_update_attendee_capabilities(self, ids, query, body, region):
        meeting = self.meeting(ids["m"])
        attendee = self.attendee(meeting, ids["a"])
        self.check_features(meeting["shown"].get("MeetingFeatures", {}), body["Capabilities"])
        attendee["Capabilities"] = body["Capabilities"]
        return {"Attendee": attendee}

    def op_batch_update_attendee_capabilities_except(self, ids, query, body, region):
        excluded = {item["AttendeeId"] for item in body["ExcludedAttendeeIds"]}
        for attendee_id, attendee in self.meeting(ids["m"])["attendees"].items():
            if attendee_id not in excluded:
                attendee["Capabilities"] = body["Capabilities"]

    def op_start_meeting_transcription(self, ids, query, body, region):
        """AWS documents no conflict for this call: a second start puts its configuration in the place of the first."""
        self.meeting(ids["m"])["transcription"] = body["TranscriptionConfiguration"]

    def op_stop_meeting_transcription(self, ids, query, body, region):
        self.meeting(ids["m"])["transcription"] = None

    def tagged(self, arn_text):
        for meeting in self.meetings.values():
            if meeting["shown"]["MeetingArn"] == arn_text and not meeting["ended"]:
                return meeting["tags"]
        raise Refusal(404, "ResourceNotFoundException", "no such resource")

    def op_list_tags_for_resource(self, ids, query, body, region):
        resource(query.get("arn"), "arn")
        return {"Tags": [{"Key": key, "Value": value} for key, value in self.tagged(query["arn"]).items()]}

    def op_tag_resource(self, ids, query, body, region):
        present = self.tagged(body["ResourceARN"])
        added = {tag["Key"]: tag["Value"] for tag in body["Tags"]}
        if len({**present, **added}) > 50:
            raise Refusal(400, "TooManyTagsException", "a resource has at most 50 tags")
        present.update(added)

    def op_untag_resource(self, ids, query, body, region):
        present = self.tagged(body["ResourceARN"])
        for key in body["TagKeys"]:
            present.pop(key, None)

    # what was ordered over /_control

    def fault_for(self, name):
        for fault in self.faults:
            if fault.get("operation") in (None, name):
                if fault.get("count") is not None:
                    fault["count"] -= 1
                    if fault["count"] <= 0:
                        self.faults.remove(fault)
                return fault
        return None

    async def call(self, request, connection):
        """Answers as (status, body, headers, how): `how` is None, `hang` or `cut`."""
        started = time.time()
        entry = {"operation": None, "time": started, "status": None, "connection": connection, "method": request.method,
                 "path": request.path, "meetingId": None, "externalIds": [], "traceparent": request.headers.get("traceparent")}
        self.calls.append(entry)
        how, headers = None, {}
        try:
            region = check_signature(request, self.known)
            name, ids = route(request.method, request.path, request.query)
            entry["operation"], entry["meetingId"] = name, ids.get("m")
            if name != "UpdateAttendeeCapabilities" and "a" in ids:
                entry["attendeeId"] = ids["a"]
            success, check = OPERATIONS[name][3:5]
            body = self.body_of(request)
            check(body, "request")
            for member in ("ExternalMeetingId", "ExternalUserId"):
                if member in body:
                    entry["externalIds"].append(body[member])
            entry["externalIds"] += [item["ExternalUserId"] for item in body.get("Attendees", [])]
            entry["token"] = body.get("ClientRequestToken")
            token = (region, entry["token"])
            # Two of the same at the same time: AWS lets one of them through.
            if entry["token"] and token in self.in_creation:
                raise Refusal(409, "ConflictException", "the same request is being worked on")
            if entry["token"]:
                self.in_creation.add(token)
            try:
                fault = self.fault_for(name)
                delay = self.latencies.get(name, self.latencies.get(None, 0))
                if delay:
                    await asyncio.sleep(delay / 1000)
                if fault and fault.get("how") == "fail":
                    extra = {"Retry-After": str(fault["retryAfter"])} if "retryAfter" in fault else {}
                    raise Refusal(fault["status"], fault["code"], fault.get("message", "ordered by the test"), extra)
                # A connection that is cut, or an answer that never comes, may well have done its work.
                how = fault and fault["how"]
                operate = getattr(self, "op_" + re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower())
                answer = None if how == "hang" and not fault.get("effect") else operate(ids, request.query, body, region)
            finally:
                self.in_creation.discard(token)
            status = success
            if answer and "Meeting" in answer:
                entry["meetingId"] = answer["Meeting"]["MeetingId"]
        except Refusal as refusal:
            status, headers = refusal.status, {"x-amzn-ErrorType": refusal.code, **refusal.headers}
            answer = {"Code": refusal.code, "Message": refusal.message, "RequestId": str(uuid.uuid4())}
            entry["code"] = refusal.code
        entry["took"] = time.time() - started
        if how:
            entry["how"] = how
        else:
            entry["status"] = status
        return status, answer, headers, how

    @staticmethod
    def body_of(request):
        if not request.body:
            return {}
        if request.headers.get("content-type") != "application/json":
            raise Refusal(400, "SerializationException", "the content type must be application/json")
        try:
            return json.loads(request.body)
        except ValueError:
            raise Refusal(400, "SerializationException", "the body is not JSON") from None

    async def control(self, request):
        order = json.loads(request.body or b"{}")
        name = request.path.removeprefix("/_control/")
        if name == "latency":
            self.latencies[order.get("operation")] = order["ms"]
        elif name in ("fail", "hang", "cut"):
            self.faults.append({"how": name, "status": 500, "code": "ServiceFailureException", **order})
        elif name == "heal":
            self.faults, self.latencies = [], {}
        elif name == "end":
            self.meetings[order["meetingId"]]["ended"] = time.time()
        elif name == "credentials":
            self.known = {each["key"]: (each["secret"], each.get("token")) for each in order["known"]}
        elif name == "reset":
            self.reset()
        elif name == "calls":
            wanted = request.query.get("operation")
            return {"calls": [each for each in self.calls if wanted in (None, each["operation"])]}
        elif name == "state":
            counts = {}
            for each in self.calls:
                counts[each["operation"]] = counts.get(each["operation"], 0) + 1
            meetings = [
                {**each["shown"], "Ended": each["ended"], "Transcription": each["transcription"], "Tags": each["tags"],
                 "Attendees": list(each["attendees"].values()), "Request": each["request"]}
                for each in self.meetings.values()
            ]
            return {"meetings": meetings, "counts": counts, "total": len(self.calls)}
        elif name == "events":
            return {"delivered": await deliver(order, self.meetings)}
        else:
            raise KeyError(name)
        return {}


# --- events, as an EventBridge API destination delivers them ----------------------------------------------------------


def event_of(order, meetings):
    shown = meetings[order["meetingId"]]["shown"] if order.get("meetingId") in meetings else {}
    at = order.get("timestamp", int(time.time() * 1000))
    detail = {"version": "0", "eventType": order["eventType"], "timestamp": at, "meetingId": order.get("meetingId"),
              "externalMeetingId": shown.get("ExternalMeetingId", order.get("externalMeetingId")),
              "mediaRegion": shown.get("MediaRegion", "us-east-1")}
    for member in ("attendeeId", "externalUserId", "networkType"):
        if member in order:
            detail[member] = order[member]
    return {"version": "0", "id": order.get("id", str(uuid.uuid4())), "detail-type": "Chime Meeting State Change",
            "source": "aws.chime", "account": ACCOUNT, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at / 1000)),
            "region": order.get("region", "us-east-1"), "resources": [], "detail": detail}


async def deliver(order, meetings):
    """Posts the events one after another; `copies` of each, and in another order if that is wanted."""
    events = [event for each in order["events"] for event in [event_of(each, meetings)] * order.get("copies", 1)]
    if order.get("shuffle") is not None:
        random.Random(order["shuffle"]).shuffle(events)
    target, results = urlsplit(order["url"]), []
    for event in events:
        body = json.dumps(event).encode()
        headers = {"Host": target.netloc, "Content-Type": "application/json; charset=utf-8", "Content-Length": str(len(body)),
                   "User-Agent": "Amazon/EventBridge/ApiDestinations", "Connection": "close", **order.get("headers", {})}
        reader, writer = await asyncio.open_connection(target.hostname, target.port)
        head = f"POST {target.path} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        writer.write(head.encode() + b"\r\n" + body)
        answer = await reader.read()
        writer.close()
        results.append({"id": event["id"], "eventType": event["detail"]["eventType"], "status": int(answer.split(b" ", 2)[1])})
    return results


# --- HTTP/1.1 ---------------------------------------------------------------------------------------------------------


class Request:
    @staticmethod
    async def read(reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        line, *lines = head[:-4].split("\r\n")
        request = Request()
        request.method, target, _ = line.split(" ")
        parts = target.split("?", 1)
        request.path = parts[0]
        request.query_pairs = parse_qsl(parts[1], keep_blank_values=True) if len(parts) > 1 else []
        request.query = dict(request.query_pairs)
        request.headers = {}
        for each in lines:
            name, _, value = each.partition(":")
            name = name.lower()
            request.headers[name] = request.headers[name] + "," + value.strip() if name in request.headers else value.strip()
        if request.headers.get("expect") == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        length = int(request.headers.get("content-length", "0"))
        if length > MAX_BODY or "transfer-encoding" in request.headers:
            raise ValueError("a body that this stand-in does not take")
        request.body = await reader.readexactly(length)
        return request


def encode(status, answer, headers):
    body = b"" if status == 204 else b"" if answer is None else json.dumps(answer).encode()
    lines = [f"HTTP/1.1 {status} {'OK' if status < 300 else 'Error'}", f"x-amzn-RequestId: {uuid.uuid4()}"]
    if status != 204:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Server:
    def __init__(self, service):
        self.service, self.connections = service, 0

    async def serve(self, reader, writer):
        self.connections += 1
        number = self.connections
        try:
            while True:
                request = await Request.read(reader, writer)
                if request.path.startswith("/_control/"):
                    try:
                        writer.write(encode(200, await self.service.control(request), {}))
                    except (KeyError, ValueError, OSError) as error:
                        writer.write(encode(400, {"error": repr(error)}, {}))
                    continue
                status, answer, headers, how = await self.service.call(request, number)
                if how == "hang":
                    await reader.read()  # until the caller gives up
                    return
                whole = encode(status, answer, headers)
                if how == "cut":
                    writer.write(whole[: len(whole) // 2])
                    await writer.drain()
                    return
                writer.write(whole)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--key", required=True)
    parser.add_argument("--secret", required=True)
    parser.add_argument("--token")
    options = parser.parse_args()
    service = Service({options.key: (options.secret, options.token)})
    server = await asyncio.start_server(Server(service).serve, "127.0.0.1", options.port, backlog=1024)
    print("listening", server.sockets[0].getsockname()[1], flush=True)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def watch():
        sys.stdin.read()
        loop.call_soon_threadsafe(ended.set)

    threading.Thread(target=watch, daemon=True).start()
    await ended.wait()


if __name__ == "__main__":
    asyncio.run(main())
