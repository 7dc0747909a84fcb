"""What AWS's "Chime SDK Meetings" API takes: operations, limits of their parameters, signatures. For the stand-in beside."""
import calendar
import hashlib
import hmac
import re
import time
from urllib.parse import unquote

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.compat import HTTPHeaders
from botocore.credentials import Credentials

REGIONS = """af-south-1 ap-northeast-1 ap-northeast-2 ap-south-1 ap-southeast-1 ap-southeast-2 ca-central-1 eu-central-1
    eu-north-1 eu-south-1 eu-west-1 eu-west-2 eu-west-3 sa-east-1 us-east-1 us-east-2 us-gov-east-1 us-gov-west-1
    us-west-1 us-west-2""".split()


class Refusal(Exception):
    """An error answer."""

    def __init__(self, status, code, message, headers=()):
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, dict(headers)


def bad_request(message):
    return Refusal(400, "BadRequestException", message)


def not_found(what):
    return Refusal(404, "NotFoundException", f"{what} not found")


# --- what a request may look like -------------------------------------------------------------------------------------

EXTERNAL = r"[-_&@+=,(){}\[\]/«».:|'\"#a-zA-Z0-9À-ÿ\s]*"
GUID = r"[a-fA-F0-9]{8}(?:-[a-fA-F0-9]{4}){3}-[a-fA-F0-9]{12}"


def text(low, high, pattern=None, reserved=False):
    def check(value, place):
        if not isinstance(value, str):
            raise bad_request(f"{place} must be a string")
        if not low <= len(value) <= high:
            raise bad_request(f"{place} must have {low} to {high} characters")
        if pattern and not re.fullmatch(pattern, value):
            raise bad_request(f"{place} must match {pattern}")
        if reserved and value.lower().startswith("aws:"):
            raise bad_request(f"{place} must not start with aws:")

    return check


def one_of(*values):
    def check(value, place):
        if value not in values:
            raise bad_request(f"{place} must be one of {', '.join(values)}")

    return check


def integer(low, high):
    def check(value, place):
        if type(value) is not int or not low <= value <= high:
            raise bad_request(f"{place} must be a whole number from {low} to {high}")

    return check


def boolean(value, place):
    if not isinstance(value, bool):
        raise bad_request(f"{place} must be true or false")


def many(check_item, low, high):
    def check(value, place):
        if not isinstance(value, list) or not low <= len(value) <= high:
            raise bad_request(f"{place} must have {low} to {high} items")
        for number, item in enumerate(value):
            check_item(item, f"{place}[{number}]")

    return check


def structure(required, optional=(), also=None):
    """Members that AWS does not know are refused here: a misspelt one would go unnoticed."""
    members = {**required, **dict(optional)}

    def check(value, place):
        if not isinstance(value, dict):
            raise bad_request(f"{place} must be an object")
        for name in required:
            if name not in value:
                raise bad_request(f"{place}.{name} is required")
        for name, item in value.items():
            if name not in members:
                raise bad_request(f"{place}.{name} is unknown")
            members[name](item, f"{place}.{name}")
        if also:
            also(value, place)

    return check


def receives(capability):
    return capability in ("SendReceive", "Receive")


def content_needs_video(value, place):
    if receives(value["Content"]) and not receives(value["Video"]):
        raise bad_request(f"{place}: content can be received only with video")


def language_is_given(value, place):
    if "LanguageCode" not in value and not value.get("IdentifyLanguage"):
        raise bad_request(f"{place}.LanguageCode is required")


def exactly_one(value, place):
    if len(value) != 1:
        raise bad_request(f"{place} must have exactly one of its members")


media = one_of("SendReceive", "Send", "Receive", "None")
capabilities = structure({"Audio": media, "Video": media, "Content": media}, also=content_needs_video)
external_id = text(2, 64, EXTERNAL, reserved=True)
attendee_item = structure({"ExternalUserId": external_id}, {"Capabilities": capabilities})
arn = text(1, 1024, r"arn[/:\-_.a-zA-Z0-9]+")
tags = many(structure({"Key": text(1, 128, r"[a-zA-Z+-=._:/]+", reserved=True), "Value": text(0, 256, r"[\s\w+-=.:/@]*")}), 0, 50)
any_text = text(0, 4096)
names = text(1, 3000, r"[a-zA-Z0-9,\-._]+")
meeting_members = {
    "MeetingHostId": external_id,
    "NotificationsConfiguration": structure({}, {"LambdaFunctionArn": arn, "SnsTopicArn": arn, "SqsQueueArn": arn}),
    "MeetingFeatures": structure({}, {
        "Audio": structure({}, {"EchoReduction": one_of("AVAILABLE", "UNAVAILABLE")}),
        "Video": structure({}, {"MaxResolution": one_of("None", "HD", "FHD")}),
        "Content": structure({}, {"MaxResolution": one_of("None", "FHD", "UHD")}),
        "Attendee": structure({}, {"MaxCount": integer(1, 250)}),
    }),
    "PrimaryMeetingId": text(2, 64),
    "TenantIds": many(text(2, 256, r"(?!.*?(.)\1{3})[-_!@#$a-zA-Z0-9]*"), 1, 5),
    "Tags": tags,
    "MediaPlacementNetworkType": one_of("Ipv4Only", "DualStack"),
}
meeting_required = {
    "ClientRequestToken": text(2, 64, r"[-_a-zA-Z0-9]*"),
    "MediaRegion": one_of(*REGIONS),
    "ExternalMeetingId": external_id,
}
transcribe = structure({}, {
    "LanguageCode": one_of("en-US", "en-GB", "es-US", "fr-CA", "fr-FR", "en-AU", "it-IT", "de-DE", "pt-BR", "ja-JP",
                           "ko-KR", "zh-CN", "th-TH", "hi-IN"),
    "VocabularyFilterMethod": one_of("remove", "mask", "tag"), "VocabularyFilterName": any_text, "VocabularyName": any_text,
    "Region": one_of("us-east-2", "us-east-1", "us-west-2", "ap-northeast-2", "ap-southeast-2", "ap-northeast-1", "ca-central-1",
                     "eu-central-1", "eu-west-1", "eu-west-2", "sa-east-1", "auto", "us-gov-west-1"),
    "EnablePartialResultsStabilization": boolean, "PartialResultsStability": one_of("low", "medium", "high"),
    "ContentIdentificationType": one_of("PII"), "ContentRedactionType": one_of("PII"), "PiiEntityTypes": text(1, 300, r"[A-Z_, ]+"),
    "LanguageModelName": text(1, 200, r"[0-9a-zA-Z._-]+"), "IdentifyLanguage": boolean, "LanguageOptions": text(1, 200, r"[a-zA-Z\-,]+"),
    "PreferredLanguage": any_text, "VocabularyNames": names, "VocabularyFilterNames": names,
}, also=language_is_given)
transcribe_medical = structure({
    "LanguageCode": one_of("en-US"),
    "Specialty": one_of("PRIMARYCARE", "CARDIOLOGY", "NEUROLOGY", "ONCOLOGY", "RADIOLOGY", "UROLOGY"),
    "Type": one_of("CONVERSATION", "DICTATION"),
}, {
    "VocabularyName": any_text, "ContentIdentificationType": one_of("PHI"),
    "Region": one_of("us-east-1", "us-east-2", "us-west-2", "ap-southeast-2", "ca-central-1", "eu-west-1", "auto"),
})
engines = structure({}, {"EngineTranscribeSettings": transcribe, "EngineTranscribeMedicalSettings": transcribe_medical}, also=exactly_one)
nothing = structure({})
resource = text(1, 1011, r"arn:.*")

# name: method, path, value of ?operation=, success, body, other query parameters
OPERATIONS = {
    "CreateMeeting": ("POST", "/meetings", None, 200, structure(meeting_required, meeting_members), ()),
    "CreateMeetingWithAttendees": ("POST", "/meetings", "create-attendees", 200,
                                   structure({**meeting_required, "Attendees": many(attendee_item, 1, 20)}, meeting_members), ()),
    "GetMeeting": ("GET", "/meetings/{m}", None, 200, nothing, ()),
    "DeleteMeeting": ("DELETE", "/meetings/{m}", None, 204, nothing, ()),
    "CreateAttendee": ("POST", "/meetings/{m}/attendees", None, 200, attendee_item, ()),
    "BatchCreateAttendee": ("POST", "/meetings/{m}/attendees", "batch-create", 200,
                            structure({"Attendees": many(attendee_item, 1, 100)}), ()),
    "ListAttendees": ("GET", "/meetings/{m}/attendees", None, 200, nothing, ("max-results", "next-token")),
    "GetAttendee": ("GET", "/meetings/{m}/attendees/{a}", None, 200, nothing, ()),
    "DeleteAttendee": ("DELETE", "/meetings/{m}/attendees/{a}", None, 204, nothing, ()),
    "BatchUpdateAttendeeCapabilitiesExcept": (
        "PUT", "/meetings/{m}/attendees/capabilities", "batch-update-except", 200,
        structure({"ExcludedAttendeeIds": many(structure({"AttendeeId": text(36, 36, GUID)}), 1, 250), "Capabilities": capabilities}), ()),
    "UpdateAttendeeCapabilities": ("PUT", "/meetings/{m}/attendees/{a}/capabilities", None, 200,
                                   structure({"Capabilities": capabilities}), ()),
    "StartMeetingTranscription": ("POST", "/meetings/{m}/transcription", "start", 200,
                                  structure({"TranscriptionConfiguration": engines}), ()),
    "StopMeetingTranscription": ("POST", "/meetings/{m}/transcription", "stop", 200, nothing, ()),
    "ListTagsForResource": ("GET", "/tags", None, 200, nothing, ("arn",)),
    "TagResource": ("POST", "/tags", "tag-resource", 204, structure({"ResourceARN": resource, "Tags": tags}), ()),
    "UntagResource": ("POST", "/tags", "untag-resource", 204,
                      structure({"ResourceARN": resource, "TagKeys": many(text(1, 128), 0, 50)}), ()),
}
ROUTES = {}
for operation, (method, path, query, *_) in OPERATIONS.items():
    ROUTES.setdefault((method, path), {})[query] = operation


def route(method, path, query):
    """The operation's name and its ids."""
    steps = [unquote(step) for step in path.split("/")[1:]]
    ids, shape = {}, list(steps)
    if len(steps) > 1 and steps[0] == "meetings":
        ids["m"], shape[1] = steps[1], "{m}"
        if len(steps) > 3 and steps[2] == "attendees" and steps[3] != "capabilities":
            ids["a"], shape[3] = steps[3], "{a}"
    found = ROUTES.get((method, "/" + "/".join(shape)), {}).get(query.get("operation"))
    if not found:
        raise Refusal(404, "UnknownOperationException", "unknown operation")
    for value in ids.values():
        text(36, 36, GUID)(value, "id")
    for name in query:
        if name != "operation" and name not in OPERATIONS[found][5]:
            raise bad_request(f"query parameter {name} is unknown")
    return found, ids


# --- signatures -------------------------------------------------------------------------------------------------------


class ReceivedSignature(SigV4Auth):
    """botocore's signer, made to sign exactly the headers that the caller says it has signed."""

    def __init__(self, credentials, region, signed):
        super().__init__(credentials, "chime", region)
        self.signed = signed

    def headers_to_sign(self, request):
        headers = HTTPHeaders()
        for name in self.signed:
            for value in request.headers.get_all(name, []):
                headers[name] = value
        return headers


AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request, ?SignedHeaders=([a-z0-9;_-]+), ?Signature=([0-9a-f]{64})")


def invalid_signature(message):
    return Refusal(403, "InvalidSignatureException", message)


def check_signature(request, known):
    header = request.headers.get("authorization")
    if header is None:
        raise Refusal(403, "MissingAuthenticationTokenException", "the request is not signed")
    parts = AUTHORIZATION.fullmatch(header)
    if not parts:
        raise Refusal(403, "IncompleteSignatureException", "the authorization header is malformed")
    key, day, region, service, signed, signature = parts.groups()
    signed = signed.split(";")
    if signed != sorted(set(signed)):
        raise invalid_signature("the signed headers are not sorted")
    for name in signed:
        if name not in request.headers:
            raise invalid_signature(f"{name} is said to be signed and is absent")
    for name in request.headers:
        if (name in ("host", "content-type") or name.startswith("x-amz-")) and name not in signed and name != "x-amz-user-agent":
            raise invalid_signature(f"{name} must be signed")
    if "host" not in signed or "x-amz-date" not in signed:
        raise invalid_signature("host and x-amz-date must be signed")
    if service != "chime" or region not in REGIONS:
        raise invalid_signature("the credential's scope is wrong")
    if key not in known:
        raise Refusal(403, "UnrecognizedClientException", "the security token included in the request is invalid")
    secret, token = known[key]
    if request.headers.get("x-amz-security-token") != token:
        raise Refusal(403, "UnrecognizedClientException", "the security token included in the request is invalid")
    stamp = request.headers["x-amz-date"]
    if not re.fullmatch(r"\d{8}T\d{6}Z", stamp) or not stamp.startswith(day):
        raise invalid_signature("the date is malformed, or another than the scope's")
    if abs(calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ")) - time.time()) > 300:
        raise invalid_signature("the signature has expired or is not valid yet")
    digest = hashlib.sha256(request.body).hexdigest()
    if request.headers.get("x-amz-content-sha256", digest) != digest:
        raise invalid_signature("the payload is not what was signed")

    received = AWSRequest(method=request.method, url=f"http://{request.headers['host']}{request.path}", data=request.body,
                          params=request.query_pairs)
    for name in signed:
        received.headers[name] = request.headers[name]
    received.context["timestamp"] = stamp
    signer = ReceivedSignature(Credentials(key, secret, token), region, signed)
    expected = signer.signature(signer.string_to_sign(received, signer.canonical_request(received)), received)
    if not hmac.compare_digest(expected, signature):
        raise invalid_signature("The request signature we calculated does not match the signature you provided.")
    return region
