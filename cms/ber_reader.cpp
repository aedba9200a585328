#include "cms/ber_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "mime/error.h"
#include "mime/limit.h"

namespace p11mime::cms {

namespace {

constexpr std::size_t kMaxHeaderSize = 10;  // one identifier octet, one length octet, eight octets of length

[[noreturn]] void malformed(const std::string& what) {
    throw Error(ErrorKind::malformed, "malformed CMS: " + what);
}

[[noreturn]] void exceeded(const std::string& what) {
    throw LimitExceeded("malformed CMS: " + what);
}

[[noreturn]] void truncated() {
    malformed("the input ends in the middle of a value");
}

}  // namespace

std::uint64_t BerReader::room() const {
    for (auto each = containers_.rbegin(); each != containers_.rend(); ++each)
        if (each->end) return *each->end - window_.position();
    return std::numeric_limits<std::uint64_t>::max();
}

bool BerReader::at_end() {
    if (containers_.empty()) return window_.peek(1).empty();
    if (containers_.back().end) return window_.position() == *containers_.back().end;
    const ByteView ahead = window_.peek(2);
    if (ahead.size() < 2) truncated();
    if (room() < 2) malformed("a value does not end inside the value around it");
    return ahead[0] == 0 && ahead[1] == 0;
}

BerReader::Header BerReader::next() {
    const ByteView ahead = window_.peek(kMaxHeaderSize);
    if (ahead.size() < 2) truncated();
    Header header{.identifier = ahead[0], .size = 2, .length = std::nullopt};
    if ((header.identifier & 0x1f) == 0x1f) malformed("a tag number over 30");
    if (header.identifier == 0) malformed("end-of-contents octets where a value should be");

    const Byte first = ahead[1];
    if (first == 0x80) {
        if (!header.constructed()) malformed("a primitive value of indefinite length");
    } else if (first < 0x80) {
        header.length = first;
    } else {
        const std::size_t octets = first & 0x7f;
        if (octets > 8) malformed("a length of more than eight octets");
        if (ahead.size() < 2 + octets) truncated();
        std::uint64_t length = 0;
        for (std::size_t i = 0; i < octets; ++i)
            length = length << 8 | ahead[2 + i];
        header.size += octets;
        header.length = length;
    }
    const std::uint64_t left = room();
    if (header.size > left || (header.length && *header.length > left - header.size))
        malformed("a value is longer than the value around it");
    return header;
}

bool BerReader::next_is(Byte identifier) {
    return !at_end() && next().identifier == identifier;
}

void BerReader::enter(Byte identifier, const char* what) {
    if (at_end() || next().identifier != identifier) malformed(fmt::format("no {} where it should be", what));
    if (containers_.size() >= kMaxBerDepth) exceeded("nested too deeply");
    const Header header = next();
    window_.consume(header.size);
    containers_.push_back({header.length ? std::optional(window_.position() + *header.length) : std::nullopt});
}

void BerReader::leave() {
    if (!at_end()) malformed("more in a value than there should be");
    if (!containers_.back().end) window_.consume(2);
    containers_.pop_back();
}

void BerReader::append(Bytes& to, std::uint64_t count, std::size_t limit, const char* what) {
    if (count > limit - std::min(limit, to.size()))
        exceeded(fmt::format("{} is larger than the limit of {} bytes", what, limit));
    while (count > 0) {
        const ByteView ahead = window_.peek(1);
        if (ahead.empty()) truncated();
        const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(count, ahead.size()));
        to.insert(to.end(), ahead.begin(), ahead.begin() + static_cast<std::ptrdiff_t>(take));
        window_.consume(take);
        count -= take;
    }
}

void BerReader::append_element(Bytes& to, std::size_t limit, std::size_t depth, const char* what) {
    if (depth > kMaxBerDepth) exceeded("nested too deeply");
    const Header header = next();
    append(to, header.size, limit, what);
    if (header.length) return append(to, *header.length, limit, what);

    containers_.push_back({std::nullopt});
    while (!at_end())
        append_element(to, limit, depth + 1, what);
    append(to, 2, limit, what);
    containers_.pop_back();
}

Bytes BerReader::element(std::size_t limit, const char* what) {
    if (at_end()) malformed(fmt::format("no {} where it should be", what));
    Bytes bytes;
    append_element(bytes, limit, containers_.size(), what);
    return bytes;
}

Bytes BerReader::element(Byte identifier, std::size_t limit, const char* what) {
    if (!next_is(identifier)) malformed(fmt::format("no {} where it should be", what));
    return element(limit, what);
}

void BerReader::skip_element(std::size_t depth) {
    if (depth > kMaxBerDepth) exceeded("nested too deeply");
    const Header header = next();
    window_.consume(header.size);
    if (!header.length) {
        containers_.push_back({std::nullopt});
        while (!at_end())
            skip_element(depth + 1);
        window_.consume(2);
        containers_.pop_back();
        return;
    }
    for (std::uint64_t left = *header.length; left > 0;) {
        const ByteView ahead = window_.peek(1);
        if (ahead.empty()) truncated();
        const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(left, ahead.size()));
        window_.consume(take);
        left -= take;
    }
}

void BerReader::require_end() {
    for (ByteView ahead = window_.pull(); !ahead.empty(); ahead = window_.pull())
        for (const Byte byte : ahead)
            if (byte != 0 && byte != ' ' && byte != '\t' && byte != '\r' && byte != '\n')
                malformed("data after its end");
}

void BerReader::skip() {
    skip_element(containers_.size());
}

void BerReader::skip_to_end() {
    while (!at_end())
        skip();
}

void BerReader::begin_octets(Byte identifier, const char* what) {
    if (at_end()) malformed(fmt::format("no {} where it should be", what));
    const Header header = next();
    if ((header.identifier & ~tag::kConstructed) != identifier)
        malformed(fmt::format("no {} where it should be", what));
    octets_depth_ = containers_.size();
    octets_open_ = true;
    if (header.constructed()) return enter(header.identifier, what);
    window_.consume(header.size);
    octets_left_ = *header.length;
}

ByteView BerReader::octets() {
    while (octets_open_ && octets_left_ == 0) {
        if (containers_.size() == octets_depth_) {
            octets_open_ = false;
        } else if (at_end()) {
            leave();
        } else {
            const Header header = next();
            if ((header.identifier & ~tag::kConstructed) != tag::kOctetString)
                malformed("something else than octet strings inside a constructed octet string");
            if (!header.constructed()) {
                window_.consume(header.size);
                octets_left_ = *header.length;
            } else {
                if (containers_.size() - octets_depth_ >= kMaxOctetStringNesting)
                    exceeded("octet strings nested too deeply");
                enter(header.identifier, "octet string");
            }
        }
    }
    if (!octets_open_) return {};

    const ByteView ahead = window_.peek(1);
    if (ahead.empty()) truncated();
    const auto take = static_cast<std::size_t>(std::min<std::uint64_t>(octets_left_, ahead.size()));
    window_.consume(take);
    octets_left_ -= take;
    return ahead.first(take);
}

}  // namespace p11mime::cms
