#include <fmt/format.h>

#include <array>
#include <charconv>
#include <chrono>
#include <optional>

#include "mime/address.h"
#include "mime/header.h"
#include "mime/text.h"

namespace p11mime::mime {

namespace {

struct Number {
    int value;
    std::size_t digits;
};

// Cursor reads the tokens of a date; comments and white space between them are skipped.
class Cursor {
  public:
    explicit Cursor(std::string_view text) : rest_(text) { skip_space(); }

    bool done() const { return rest_.empty(); }

    bool skip(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        skip_space();
        return true;
    }

    std::optional<Number> number(std::size_t max_digits) {
        int value = 0;
        const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        const std::size_t digits = static_cast<std::size_t>(end - rest_.data());
        if (error != std::errc() || rest_.front() == '-' || digits > max_digits) return std::nullopt;
        rest_.remove_prefix(digits);
        skip_space();
        return Number{value, digits};
    }

    std::string word() {
        std::size_t size = 0;
        const std::string lowered = ascii_lower(rest_.substr(0, 16));
        while (size < lowered.size() && lowered[size] >= 'a' && lowered[size] <= 'z')
            ++size;
        rest_.remove_prefix(size);
        skip_space();
        return lowered.substr(0, size);
    }

  private:
    void skip_space() {
        while (!rest_.empty() && (is_space(rest_.front()) || rest_.front() == '('))
            rest_.remove_prefix(rest_.front() == '(' ? comment_size(rest_) : 1);
    }

    std::string_view rest_;
};

std::optional<std::chrono::year_month_day> read_day(Cursor& cursor) {
    if (!cursor.word().empty()) cursor.skip(',');
    const auto day = cursor.number(2);
    const std::string name = cursor.word();
    const auto year = cursor.number(4);
    if (!day || !year || year->digits < 2 || name.size() != 3) return std::nullopt;
    const std::size_t month = std::string_view("janfebmaraprmayjunjulaugsepoctnovdec").find(name);
    if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;

    int full_year = year->value;  // RFC 5322 section 4.3 for years of two and three digits
    if (year->digits == 2) full_year += year->value < 50 ? 2000 : 1900;
    if (year->digits == 3) full_year += 1900;
    const std::chrono::year_month_day date{std::chrono::year(full_year),
                                           std::chrono::month(static_cast<unsigned>(month / 3 + 1)),
                                           std::chrono::day(static_cast<unsigned>(day->value))};
    if (!date.ok() || full_year < 1900) return std::nullopt;
    return date;
}

std::optional<std::chrono::seconds> read_time(Cursor& cursor) {
    const auto hour = cursor.number(2);
    if (!hour || !cursor.skip(':')) return std::nullopt;
    const auto minute = cursor.number(2);
    std::optional<Number> second = Number{0, 2};
    if (cursor.skip(':')) second = cursor.number(2);
    if (!minute || !second || hour->value > 23 || minute->value > 59 || second->value > 60) return std::nullopt;
    return std::chrono::hours(hour->value) + std::chrono::minutes(minute->value) + std::chrono::seconds(second->value);
}

// The offset from UTC, no more than there is on earth. Obsolete names without a known meaning count as UTC (RFC 5322
// section 4.3).
std::optional<std::chrono::minutes> read_zone(Cursor& cursor) {
    constexpr int kMostOffset = 1400;
    const bool east = cursor.skip('+');
    if (east || cursor.skip('-')) {
        const auto offset = cursor.number(4);
        if (!offset || offset->digits != 4 || offset->value % 100 > 59 || offset->value > kMostOffset)
            return std::nullopt;
        const std::chrono::minutes size(offset->value / 100 * 60 + offset->value % 100);
        return east ? size : -size;
    }
    const std::string name = cursor.word();
    if (name.empty()) return std::nullopt;
    struct Zone {
        std::string_view name;
        int hours;
    };
    constexpr std::array<Zone, 8> kZones{
        {{"est", -5}, {"edt", -4}, {"cst", -6}, {"cdt", -5}, {"mst", -7}, {"mdt", -6}, {"pst", -8}, {"pdt", -7}}};
    for (const Zone& zone : kZones) {
        if (zone.name == name) return std::chrono::hours(zone.hours);
    }
    return std::chrono::minutes(0);
}

}  // namespace

std::string parse_date(std::string_view field_value) {
    Cursor cursor(field_value);
    const auto day = read_day(cursor);
    if (!day) return {};
    const auto time = read_time(cursor);
    if (!time) return {};
    const auto zone = read_zone(cursor);
    if (!zone || !cursor.done()) return {};

    const std::chrono::sys_seconds utc = std::chrono::sys_days(*day) + *time - *zone;
    const auto utc_day = std::chrono::floor<std::chrono::days>(utc);
    const std::chrono::year_month_day date(utc_day);
    const std::chrono::hh_mm_ss clock(utc - utc_day);
    if (int(date.year()) > 9999) return {};
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", int(date.year()), unsigned(date.month()),
                       unsigned(date.day()), clock.hours().count(), clock.minutes().count(), clock.seconds().count());
}

}  // namespace p11mime::mime
