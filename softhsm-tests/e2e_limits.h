#pragma once

#include <catch2/catch.hpp>

#include "cms/content_info.h"
#include "cms/zlib.h"
#include "softhsm-tests/cms_craft.h"
#include "softhsm-tests/support/office.h"
#include "softhsm-tests/support/program.h"

/// Input that is made to exhaust whoever reads it.
namespace p11mime::test {

inline constexpr std::uint64_t kPeakKib = 48 * 1024;

/// run_limited runs a command of the program under limits: processor time many times what any of these inputs takes on
/// a slow machine, and less than the worst of them take without limits in the program; and address space, which
/// sanitizers do not live with.
inline Outcome run_limited(const Desk& desk, const Arguments& arguments, std::string input) {
    Command command = desk.p11mime_command(arguments);
    command.input = std::move(input);
    const Arguments limits =
        is_sanitized() ? Arguments{"prlimit", "--cpu=120"} : Arguments{"prlimit", "--cpu=10", "--as=1073741824"};
    command.arguments = limits + command.arguments;
    return run_process(command);
}

/// refused checks that reading ends with exit 6, saying why, and that little memory was used.
inline void refused(const Desk& desk, const std::string& input, const std::string& reason,
                    const Arguments& commands = {"open", "verify", "inspect"}) {
    for (const std::string& command : is_sanitized() ? Arguments{commands.front()} : commands) {  // which takes long
        const Outcome outcome = run_limited(desk, {command}, input);
        INFO(command << ": " << outcome.err.substr(0, 2000));
        CHECK(outcome.status == 6);
        CHECK(outcome.out.empty());
        CHECK_THAT(outcome.err, Catch::Contains(reason));
        if (!is_sanitized()) CHECK(outcome.peak_kib < kPeakKib);
    }
}

inline std::string text(ByteView bytes) {
    return std::string(text_of(bytes));
}

inline Bytes der(Byte identifier, const std::string& content) {
    return craft::der_value(identifier, bytes_of(content));
}

inline std::string repeated(std::string_view piece, std::size_t count) {
    std::string all;
    for (std::size_t i = 0; i < count; ++i)
        all += piece;
    return all;
}

inline std::string content_info(std::string_view type, const std::string& structure) {
    return craft::content_info(type, bytes_of(structure));
}

inline std::string encapsulated(std::string_view type, const std::string& content) {
    return text(craft::encapsulated(type, bytes_of(content)));
}

inline std::string compressed(std::string_view type, const std::string& zlib) {
    return text(craft::compressed_data(bytes_of(zlib), type));
}

/// deflated compresses a text that is repeated `count` times, without the limit that the program has.
inline std::string deflated(const std::string& piece, std::size_t count) {
    z_stream stream{};
    REQUIRE(deflateInit(&stream, 9) == Z_OK);
    std::string all, buffer(1 << 20, '\0');
    for (std::size_t i = 0; i <= count; ++i) {
        stream.next_in = reinterpret_cast<Byte*>(const_cast<char*>(piece.data()));
        stream.avail_in = i == count ? 0 : static_cast<uInt>(piece.size());
        do {
            stream.next_out = reinterpret_cast<Byte*>(buffer.data());
            stream.avail_out = static_cast<uInt>(buffer.size());
            deflate(&stream, i == count ? Z_FINISH : Z_NO_FLUSH);
            all.append(buffer, 0, buffer.size() - stream.avail_out);
        } while (stream.avail_out == 0);
    }
    deflateEnd(&stream);
    return all;
}

/// enveloped is EnvelopedData with RecipientInfos and what stands after its content.
inline std::string enveloped(const std::string& recipients, const std::string& after = {}) {
    using namespace craft;
    const Bytes cipher = der_algorithm("2.16.840.1.101.3.4.1.42", der_value(tag::kOctetString, Bytes(16)));
    const Bytes content =
        der_value(tag::kSequence, {der_oid(oid::kData), cipher, der_value(tag::context(0, false), Bytes(32))});
    return content_info(
        oid::kEnvelopedData,
        text(der_value(tag::kSequence, {der_integer(0), der(tag::kSet, recipients), content, bytes_of(after)})));
}

}  // namespace p11mime::test
