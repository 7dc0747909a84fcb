#include "store/common/quality_text.hpp"

#include <array>
#include <initializer_list>

namespace store {
namespace {

/// A figure that clients report: its parameter, and the columns it is kept in.
struct Figure {
    int parameter;
    std::string_view type;
    std::string_view stem;  ///< Of the columns `_sum` and `_reports`.
    std::string_view mean;  ///< The column that shows the mean, rounded.
    std::string_view digits;
};
constexpr std::array<Figure, 4> kFigures{{{6, "bigint", "latency", "average_latency_ms", ""},
                                          {7, "double precision", "packet_loss", "packet_loss_percentage", ", 2"},
                                          {8, "bigint", "audio", "audio_quality_score", ""},
                                          {9, "bigint", "video", "video_quality_score", ""}}};

void add(std::string& text, std::initializer_list<std::string_view> parts) {
    for (const auto part : parts) text += part;
}

std::string rounded(const std::string& sum, const std::string& reports, std::string_view digits) {
    return "round(CAST(" + sum + " AS numeric) * 1.0 / nullif(" + reports + ", 0)" + std::string(digits) + ")";
}

}  // namespace

std::string quality_text(char mark) {
    const auto parameter = [mark](int number, std::string_view type) {
        return "CAST(" + std::string(1, mark) + std::to_string(number) + " AS " + std::string(type) + ")";
    };
    std::string columns =
        "metric_id, session_id, user_id, provider, date, created_at, attendee_minutes_used, quality_reports,"
        " technical_issues, issue_description";
    const std::string issues = parameter(10, "boolean");
    std::string values = parameter(1, "text") + ", " + parameter(2, "text") + ", " + parameter(3, "text") + ", " +
                         parameter(4, "text") + ", " + parameter(5, "timestamp") + ", " + parameter(5, "timestamp") +
                         ", 0, 1, coalesce(" + issues + ", false), " + parameter(11, "text");
    std::string update = " quality_reports = m.quality_reports + 1, technical_issues = coalesce(" + issues +
                         ", m.technical_issues),"
                         " issue_description = coalesce(excluded.issue_description, m.issue_description)";
    for (const auto& figure : kFigures) {
        const std::string sum = std::string(figure.stem) + "_sum";
        const std::string reports = std::string(figure.stem) + "_reports";
        const std::string value = parameter(figure.parameter, figure.type);
        add(columns, {", ", sum, ", ", reports, ", ", figure.mean});
        add(values, {", coalesce(", value, ", 0), CASE WHEN ", value, " IS NULL THEN 0 ELSE 1 END, ",
                     rounded(value, "1", figure.digits)});
        std::string new_sum;
        add(new_sum, {"m.", sum, " + excluded.", sum});
        std::string new_reports;
        add(new_reports, {"m.", reports, " + excluded.", reports});
        add(update, {", ", sum, " = ", new_sum, ", ", reports, " = ", new_reports, ", ", figure.mean, " = ",
                     rounded(new_sum, new_reports, figure.digits)});
    }
    return "INSERT INTO video_consultation_metrics AS m (" + columns + ") VALUES (" + values +
           ") ON CONFLICT (session_id, user_id, provider) DO UPDATE SET" + update;
}

}  // namespace store
