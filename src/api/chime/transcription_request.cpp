// TranscriptionConfiguration, of which one engine must be chosen.
#include <boost/json/serialize.hpp>

#include "api/chime/requests.hpp"

namespace api::chime {
namespace {

namespace json = boost::json;

bool is_letter(char32_t c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_digit(char32_t c) {
    return c >= '0' && c <= '9';
}
/// `^[A-Z_, ]+`
bool in_entity_types(char32_t c) {
    return (c >= 'A' && c <= 'Z') || c == '_' || c == ',' || c == ' ';
}
/// `^[0-9a-zA-Z._-]+`
bool in_model_name(char32_t c) {
    return is_letter(c) || is_digit(c) || c == '.' || c == '_' || c == '-';
}
/// `^[a-zA-Z-,]+`
bool in_language_options(char32_t c) {
    return is_letter(c) || c == '-' || c == ',';
}
/// `^[a-zA-Z0-9,-._]+`
bool in_names(char32_t c) {
    return is_letter(c) || is_digit(c) || (c >= ',' && c <= '.') || c == '_';
}

#define LANGUAGES                                                   \
    {"en-US", "en-GB", "es-US", "fr-CA", "fr-FR", "en-AU", "it-IT", \
     "de-DE", "pt-BR", "ja-JP", "ko-KR", "zh-CN", "th-TH", "hi-IN"}

/// Reads members one by one and keeps those that are there.
class Settings {
  public:
    Settings(const json::object& object, const std::string& path, Complaint& complaint)
        : members_(object, path, complaint) {}

    void choice(std::string_view name, std::initializer_list<std::string_view> known, Need need = Need::optional) {
        keep(name, members_.choice(name, known, need));
    }
    void text(std::string_view name, const TextRule& rule = {}) {
        keep(name, members_.text(name, rule, Need::optional));
    }
    void boolean(std::string_view name) {
        if (const auto value = members_.boolean(name)) kept_.emplace(name, *value);
    }
    json::object& kept() { return kept_; }

  private:
    void keep(std::string_view name, std::string value) {
        if (!value.empty()) kept_.emplace(name, std::move(value));
    }
    Members members_;
    json::object kept_;
};

json::object read_general(const json::object& object, const std::string& path, Complaint& complaint) {
    Settings settings(object, path, complaint);
    settings.choice("LanguageCode", LANGUAGES);
    settings.choice("VocabularyFilterMethod", {"remove", "mask", "tag"});
    settings.text("VocabularyFilterName");
    settings.text("VocabularyName");
    settings.choice("Region",
                    {"us-east-2", "us-east-1", "us-west-2", "ap-northeast-2", "ap-southeast-2", "ap-northeast-1",
                     "ca-central-1", "eu-central-1", "eu-west-1", "eu-west-2", "sa-east-1", "auto", "us-gov-west-1"});
    settings.boolean("EnablePartialResultsStabilization");
    settings.choice("PartialResultsStability", {"low", "medium", "high"});
    settings.choice("ContentIdentificationType", {"PII"});
    settings.choice("ContentRedactionType", {"PII"});
    settings.text("PiiEntityTypes", {.least = 1, .most = 300, .allows = in_entity_types});
    settings.text("LanguageModelName", {.least = 1, .most = 200, .allows = in_model_name});
    settings.boolean("IdentifyLanguage");
    settings.text("LanguageOptions", {.least = 1, .most = 200, .allows = in_language_options});
    settings.choice("PreferredLanguage", LANGUAGES);
    settings.text("VocabularyNames", {.least = 1, .most = 3000, .allows = in_names});
    settings.text("VocabularyFilterNames", {.least = 1, .most = 3000, .allows = in_names});
    auto& kept = settings.kept();
    const auto* identify = kept.if_contains("IdentifyLanguage");
    const bool identifies = identify != nullptr && identify->as_bool();
    if (identifies == kept.contains("LanguageCode")) {
        complaint.about(path, "have either a LanguageCode or IdentifyLanguage");
    }
    return std::move(kept);
}

#undef LANGUAGES

json::object read_medical(const json::object& object, const std::string& path, Complaint& complaint) {
    Settings settings(object, path, complaint);
    settings.choice("LanguageCode", {"en-US"}, Need::required);
    settings.choice("Specialty", {"PRIMARYCARE", "CARDIOLOGY", "NEUROLOGY", "ONCOLOGY", "RADIOLOGY", "UROLOGY"},
                    Need::required);
    settings.choice("Type", {"CONVERSATION", "DICTATION"}, Need::required);
    settings.text("VocabularyName");
    settings.choice("Region",
                    {"us-east-1", "us-east-2", "us-west-2", "ap-southeast-2", "ca-central-1", "eu-west-1", "auto"});
    settings.choice("ContentIdentificationType", {"PHI"});
    return std::move(settings.kept());
}

}  // namespace

std::optional<WantedTranscription> read_transcription(const json::object& object, Complaint& complaint) {
    constexpr std::string_view kOuter = "TranscriptionConfiguration";
    constexpr std::string_view kGeneral = "EngineTranscribeSettings";
    constexpr std::string_view kMedical = "EngineTranscribeMedicalSettings";
    const auto* given = Members(object, {}, complaint).object(kOuter, Need::required);
    if (given == nullptr) return {};
    Members engines(*given, std::string{kOuter}, complaint);
    const auto* general = engines.object(kGeneral, Need::optional);
    const auto* medical = engines.object(kMedical, Need::optional);
    if ((general == nullptr) == (medical == nullptr)) complaint.about(kOuter, "have exactly one engine");
    if (complaint.any()) return {};
    const auto name = general != nullptr ? kGeneral : kMedical;
    auto settings = general != nullptr ? read_general(*general, engines.path_of(name), complaint)
                                       : read_medical(*medical, engines.path_of(name), complaint);
    if (complaint.any()) return {};
    WantedTranscription wanted;
    if (const auto* region = settings.if_contains("Region")) wanted.region = region->as_string();
    json::object configuration;
    configuration.emplace(name, std::move(settings));
    wanted.configuration = json::serialize(configuration);
    return wanted;
}

}  // namespace api::chime
