// What codes base64 with vectors, held against OpenSSL's coder, in each version that the machine can run.

#include <openssl/evp.h>

#include <catch2/catch.hpp>

#include "mime/base64.h"
#include "mime/error.h"
#include "mime/text.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using namespace p11mime::mime;

namespace {

std::string noise(std::size_t size) {
    std::string bytes(size, '\0');
    std::uint32_t state = 7;
    for (char& c : bytes)
        c = static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    return bytes;
}

std::string openssl_base64(std::string_view bytes) {
    std::string text((bytes.size() + 2) / 3 * 4 + 1, '\0');
    const int size =
        EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(size));
    return text;
}

std::string in_lines(std::string_view text, std::size_t width, std::string_view line_end) {
    std::string lines;
    for (; !text.empty(); text.remove_prefix(std::min(text.size(), width)))
        lines.append(text.substr(0, width)).append(line_end);
    return lines;
}

std::string decoded(DecodeBase64Lines& version, std::string_view text, std::size_t piece_size = 0) {
    test::PieceSource source(text, piece_size);
    Base64Decoder decoder(version);
    Bytes all;
    for (ByteView piece = source.pull(); !piece.empty(); piece = source.pull()) {
        // Of the very size that was asked for, so that a sanitizer sees what goes beyond.
        Bytes bytes(Base64Decoder::decoded_size(piece.size()));
        bytes.resize(decoder.decode(piece, bytes.data()));
        all.insert(all.end(), bytes.begin(), bytes.end());
    }
    decoder.finish();
    return std::string(text_of(all));
}

std::string encoded(EncodeBase64Lines& version, std::string_view bytes, std::string_view line_end) {
    const auto in = std::make_unique<Bytes>(bytes.begin(), bytes.end());
    std::string lines(bytes.size() / 3 * 4 + bytes.size() / kBase64LineBytes * line_end.size(), '\0');
    char* const end = version(*in, line_end, lines.data());
    CHECK(end == lines.data() + lines.size());
    return lines;
}

bool refused(DecodeBase64Lines& version, std::string_view text) {
    try {
        decoded(version, text);
        return false;
    } catch (const Error&) {
        return true;
    }
}

}  // namespace

TEST_CASE("whole lines of base64 are as OpenSSL writes them, in each version") {
    const std::string bytes = noise(40 * kBase64LineBytes);
    CHECK(encode_base64_lines_versions().size() > 1);
    for (EncodeBase64Lines* version : encode_base64_lines_versions())
        for (std::size_t lines = 0; lines <= 40; ++lines)
            for (const char* line_end : {"\n", "\r\n"}) {
                const std::string_view some = std::string_view(bytes).substr(bytes.size() - lines * kBase64LineBytes);
                if (encoded(*version, some, line_end) != in_lines(openssl_base64(some), 64, line_end))
                    FAIL(lines << " lines");
            }
}

TEST_CASE("base64 of every length is read as OpenSSL wrote it, in each version") {
    const std::string bytes = noise(700);
    CHECK(decode_base64_lines_versions().size() > 1);
    for (DecodeBase64Lines* version : decode_base64_lines_versions())
        for (std::size_t size = 0; size <= bytes.size(); ++size) {
            const std::string_view some = std::string_view(bytes).substr(bytes.size() - size);
            if (decoded(*version, openssl_base64(some)) != some) FAIL(size << " bytes");
        }
}

TEST_CASE("base64 in lines of any width is read as OpenSSL wrote it, in each version") {
    const std::string bytes = noise(2000);
    const std::string packed = openssl_base64(bytes);
    for (DecodeBase64Lines* version : decode_base64_lines_versions())
        for (std::size_t width = 1; width <= 150; ++width)
            for (const char* line_end : {"\n", "\r\n", " \t\r\n\r\n"}) {
                const std::string text = in_lines(packed, width, line_end);
                if (decoded(*version, text) != bytes || decoded(*version, text, 257) != bytes)
                    FAIL("lines of " << width);
            }
}

TEST_CASE("a character that is none of base64 is found wherever it stands, in each version") {
    const std::string text = in_lines(openssl_base64(noise(300)), 76, "\r\n");
    for (DecodeBase64Lines* version : decode_base64_lines_versions())
        for (std::size_t at = 0; at < text.size(); ++at) {
            std::string spoilt = text;
            spoilt[at] = "-_,:;!\x80\xff"[at % 8];
            if (!refused(*version, spoilt)) FAIL("at " << at);
        }
}

TEST_CASE("each byte is in the alphabet of base64 or is not, in each version") {
    const std::string packed = openssl_base64(noise(300));
    for (DecodeBase64Lines* version : decode_base64_lines_versions())
        for (int value = 0; value < 256; ++value) {
            const char c = static_cast<char>(value);
            const std::string group = std::string("AA") + c + "A";
            const std::string text = packed.substr(0, 200) + group + packed.substr(200);
            std::array<unsigned char, 4> bytes{};
            const bool one =
                value != '=' && !is_space(c) &&
                EVP_DecodeBlock(bytes.data(), reinterpret_cast<const unsigned char*>(group.data()), 4) == 3;
            if (one == refused(*version, text)) FAIL("byte " << value);
            if (!one) continue;
            const std::string expected(reinterpret_cast<const char*>(bytes.data()), 3);
            if (decoded(*version, text).substr(150, 3) != expected) FAIL("byte " << value);
        }
}
