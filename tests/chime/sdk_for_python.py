"""Every operation of Chime SDK Meetings by Debian's boto3, against the endpoint named on the command line."""
import datetime
import sys
import uuid

import boto3
import botocore.config
import botocore.exceptions

ENDPOINT, KEY, SECRET = sys.argv[1:4]
LISTENER = {"Audio": "Receive", "Video": "Receive", "Content": "Receive"}


def client(key=KEY, secret=SECRET, region="us-east-1"):
    return boto3.client("chime-sdk-meetings", region_name=region, endpoint_url=ENDPOINT, aws_access_key_id=key,
                        aws_secret_access_key=secret, config=botocore.config.Config(retries={"max_attempts": 0}))


def refused(call, **parameters):
    try:
        call(**parameters)
    except botocore.exceptions.ClientError as error:
        return error.response["Error"]["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
    raise AssertionError("it was not refused")


def same(found, wanted):
    assert found == wanted, f"{found!r} is not {wanted!r}"


chime = client()
asked = dict(ClientRequestToken=str(uuid.uuid4()), MediaRegion="us-east-1", ExternalMeetingId="visit 17 «boto»",
             MeetingFeatures={"Audio": {"EchoReduction": "AVAILABLE"}}, Tags=[{"Key": "ward", "Value": "3 b"}])
answer = chime.create_meeting(**asked)
same(answer["ResponseMetadata"]["HTTPStatusCode"], 200)
meeting = answer["Meeting"]
same(chime.create_meeting(**asked)["Meeting"], meeting)
same(meeting["ExternalMeetingId"], "visit 17 «boto»")
same(meeting["MeetingFeatures"], {"Audio": {"EchoReduction": "AVAILABLE"}})
assert meeting["MediaPlacement"]["SignalingUrl"].endswith("/control/" + meeting["MeetingId"])
meeting_id, arn = meeting["MeetingId"], meeting["MeetingArn"]
same(chime.get_meeting(MeetingId=meeting_id)["Meeting"], meeting)

both = chime.create_meeting_with_attendees(ClientRequestToken=str(uuid.uuid4()), MediaRegion="us-east-1", ExternalMeetingId="other",
                                           Attendees=[{"ExternalUserId": "doctor"}, {"ExternalUserId": "recorder", "Capabilities": LISTENER}])
same([each["ExternalUserId"] for each in both["Attendees"]], ["doctor", "recorder"])
same(both["Attendees"][1]["Capabilities"], LISTENER)
same(both["Errors"], [])

doctor = chime.create_attendee(MeetingId=meeting_id, ExternalUserId="doctor-1")["Attendee"]
same(chime.create_attendee(MeetingId=meeting_id, ExternalUserId="doctor-1")["Attendee"], doctor)
more = chime.batch_create_attendee(MeetingId=meeting_id, Attendees=[{"ExternalUserId": f"user-{i}"} for i in range(7)])["Attendees"]
same(len(more), 7)
same(chime.get_attendee(MeetingId=meeting_id, AttendeeId=doctor["AttendeeId"])["Attendee"], doctor)
found, token = [], {}
while True:
    page = chime.list_attendees(MeetingId=meeting_id, MaxResults=3, **token)
    found += page["Attendees"]
    if "NextToken" not in page:
        break
    token = {"NextToken": page["NextToken"]}
same(sorted(each["ExternalUserId"] for each in found), sorted(["doctor-1", *[f"user-{i}" for i in range(7)]]))

updated = chime.update_attendee_capabilities(MeetingId=meeting_id, AttendeeId=doctor["AttendeeId"], Capabilities=LISTENER)
same(updated["Attendee"]["Capabilities"], LISTENER)
chime.batch_update_attendee_capabilities_except(MeetingId=meeting_id, ExcludedAttendeeIds=[{"AttendeeId": doctor["AttendeeId"]}],
                                                Capabilities={"Audio": "None", "Video": "None", "Content": "None"})
same(chime.get_attendee(MeetingId=meeting_id, AttendeeId=more[0]["AttendeeId"])["Attendee"]["Capabilities"]["Audio"], "None")
same(refused(chime.update_attendee_capabilities, MeetingId=meeting_id, AttendeeId=doctor["AttendeeId"],
             Capabilities={"Audio": "Send", "Video": "Send", "Content": "Receive"}), ("BadRequestException", 400))

chime.start_meeting_transcription(MeetingId=meeting_id, TranscriptionConfiguration={"EngineTranscribeSettings": {"LanguageCode": "en-US"}})
chime.stop_meeting_transcription(MeetingId=meeting_id)

same(chime.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "ward", "Value": "3 b"}])
chime.tag_resource(ResourceARN=arn, Tags=[{"Key": "a:b/c", "Value": "1"}])
chime.untag_resource(ResourceARN=arn, TagKeys=["ward"])
same(chime.list_tags_for_resource(ResourceARN=arn)["Tags"], [{"Key": "a:b/c", "Value": "1"}])
same(refused(chime.list_tags_for_resource, ResourceARN="arn:aws:chime:us-east-1:1:meeting/none"), ("ResourceNotFoundException", 404))

chime.delete_attendee(MeetingId=meeting_id, AttendeeId=doctor["AttendeeId"])
same(refused(chime.get_attendee, MeetingId=meeting_id, AttendeeId=doctor["AttendeeId"]), ("NotFoundException", 404))
same(chime.delete_meeting(MeetingId=meeting_id)["ResponseMetadata"]["HTTPStatusCode"], 204)
same(refused(chime.get_meeting, MeetingId=meeting_id), ("NotFoundException", 404))
same(refused(chime.create_attendee, MeetingId=str(uuid.uuid4()), ExternalUserId="doctor"), ("NotFoundException", 404))
same(refused(chime.get_meeting, MeetingId="odd (id) ~ä"), ("BadRequestException", 400))

same(refused(client(secret="wrong").get_meeting, MeetingId=meeting_id), ("InvalidSignatureException", 403))
same(refused(client(key="AKIDNOBODY").get_meeting, MeetingId=meeting_id), ("UnrecognizedClientException", 403))
real = datetime.datetime


class Late(real):
    @classmethod
    def utcnow(cls):
        return real.utcnow() - datetime.timedelta(minutes=6)


datetime.datetime = Late
same(refused(client(region="eu-west-2").get_meeting, MeetingId=meeting_id), ("InvalidSignatureException", 403))
print("every operation did what it should")
