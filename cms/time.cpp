#include <fmt/format.h>

#include <cstdio>
#include <ctime>

#include "cms/certificate.h"

namespace p11mime::cms {

std::string format_time(Time time) {
    const std::time_t seconds = time.time_since_epoch().count();
    std::tm utc{};
    gmtime_r(&seconds, &utc);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                       utc.tm_hour, utc.tm_min, utc.tm_sec);
}

namespace {

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
    if (at + count > text.size()) return std::nullopt;
    int value = 0;
    for (char c : text.substr(at, count)) {
        if (c < '0' || c > '9') return std::nullopt;
        value = value * 10 + (c - '0');
    }
    return value;
}

// zone_offset reads "Z" or "+hh:mm" and gives the offset from UTC.
std::optional<std::chrono::minutes> zone_offset(std::string_view zone) {
    if (zone == "Z" || zone == "z") return std::chrono::minutes(0);
    if (zone.size() != 6 || (zone[0] != '+' && zone[0] != '-') || zone[3] != ':') return std::nullopt;
    const auto hours = digits(zone, 1, 2), minutes = digits(zone, 4, 2);
    if (!hours || !minutes || *hours > 23 || *minutes > 59) return std::nullopt;
    const std::chrono::minutes offset(*hours * 60 + *minutes);
    return zone[0] == '+' ? offset : -offset;
}

}  // namespace

std::optional<Time> parse_time(std::string_view text) {
    const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
    const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
    if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
    if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') ||
        text[13] != ':' || text[16] != ':')
        return std::nullopt;

    const auto date = std::chrono::year(*year) / std::chrono::month(static_cast<unsigned>(*month)) /
                      std::chrono::day(static_cast<unsigned>(*day));
    if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;

    std::size_t zone = 19;
    if (zone < text.size() && text[zone] == '.')
        for (++zone; zone < text.size() && text[zone] >= '0' && text[zone] <= '9';)
            ++zone;
    const auto offset = zone_offset(text.substr(zone));
    if (!offset) return std::nullopt;
    return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
           std::chrono::seconds(*second) - *offset;
}

std::optional<Time> to_time(const ASN1_TIME* time) {
    std::tm utc{};
    if (time == nullptr || ASN1_TIME_to_tm(time, &utc) != 1) return std::nullopt;
    return Time(std::chrono::seconds(timegm(&utc)));
}

}  // namespace p11mime::cms
