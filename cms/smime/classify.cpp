#include "cms/smime/classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "cms/content_info.h"
#include "cms/identifiers.h"
#include "cms/smime/mail.h"
#include "mime/address.h"
#include "mime/codec.h"
#include "mime/error.h"
#include "mime/limit.h"
#include "mime/text.h"

namespace p11mime::cms::smime {

namespace {

bool is_signature_type(std::string_view type) {
    return type == "application/pkcs7-signature" || type == "application/x-pkcs7-signature";
}

bool is_cms_type(std::string_view type) {
    return type == "application/pkcs7-mime" || type == "application/x-pkcs7-mime";
}

bool has_end(const std::string& name, std::span<const std::string_view> endings) {
    return std::any_of(endings.begin(), endings.end(), [&](std::string_view ending) { return name.ends_with(ending); });
}

constexpr std::array<std::string_view, 3> kCmsEndings{".p7m", ".p7c", ".p7z"};

// named_like_cms: other programs and gateways relabel S/MIME as octet-stream and leave the name (RFC 8551
// section 3.2.1).
bool named_like_cms(const mime::Header& header, const mime::Parameterized& type) {
    if (type.value != "application/octet-stream") return false;
    const std::vector<std::string> names = file_names(header);
    return std::any_of(names.begin(), names.end(), is_cms_name);
}

// names_a_signature says whether a name, as a word of RFC 2047 too, ends in nothing that a program would open as what
// it is not: a page, a text, a mail.
bool names_a_signature(std::string_view name) {
    constexpr std::array<std::string_view, 5> kEndings{".p7s", ".p7m", ".bin", ".dat", ".sig"};
    const bool is_words = name.starts_with("=?") && name.ends_with("?=");
    const std::string read = mime::ascii_lower(is_words ? mime::decode_words(name) : name);
    if (read.find("=?") != std::string::npos) return false;
    return read.find('.') == std::string::npos || has_end(read, kEndings);
}

// without_quotes takes single quotes off, which some programs write although they mean nothing there.
std::string_view without_quotes(std::string_view name) {
    const bool is_quoted = name.size() > 1 && name.starts_with('\'') && name.ends_with('\'');
    return is_quoted ? name.substr(1, name.size() - 2) : name;
}

// whole_lines cuts a front off after its last line end, so that base64 in it ends with a whole group.
ByteView whole_lines(ByteView front) {
    const std::size_t last = text_of(front).rfind('\n');
    return front.size() < kFront || last == std::string_view::npos ? front : front.first(last + 1);
}

// header_front is the front of content, up to the empty line after its header at least, or beyond the limit.
ByteView header_front(Window& content) {
    std::size_t size = kFront;
    for (;; size *= 2) {
        const ByteView front = content.peek(size);
        const std::string_view text = text_of(front);
        const bool ends = text.starts_with("\n") || text.starts_with("\r\n") ||
                          text.find("\n\n") != std::string_view::npos || text.find("\n\r\n") != std::string_view::npos;
        if (ends || front.size() < size || size > mime::kMaxHeaderBytes) return front;
    }
}

}  // namespace

bool is_signature_part(const mime::Header& header) {
    const mime::Parameterized type = mime::content_type(header);
    const bool by_type = is_signature_type(type.value);
    bool named = false;
    for (const std::string& name : {type.parameter("name"), mime::content_disposition(header).parameter("filename")}) {
        if (name.empty()) continue;
        if (!(by_type ? names_a_signature(without_quotes(name)) : mime::ascii_lower(name).ends_with(".p7s")))
            return false;
        named = true;
    }
    return by_type || (named && type.value == "application/octet-stream");
}

std::vector<std::string> file_names(const mime::Header& header) {
    std::vector<std::string> names;
    for (const std::string& name :
         {mime::content_type(header).parameter("name"), mime::content_disposition(header).parameter("filename")}) {
        std::string read = file_name(mime::decode_words(name));
        if (!read.empty()) names.push_back(std::move(read));
    }
    return names;
}

std::string file_name(std::string_view name) {
    std::string read = mime::ascii_lower(mime::trim(name));
    read.erase(std::min(read.find_last_not_of(" .") + 1, read.size()));
    return read;
}

bool is_cms_name(const std::string& name) {
    return has_end(name, kCmsEndings);
}

bool is_named_as_cms(const mime::Header& header) {
    constexpr std::array<std::string_view, 4> kDataEndings{".p7s", ".bin", ".dat", ".sig"};
    const bool is_typed = is_cms_type(mime::content_type(header).value);
    const std::vector<std::string> names = file_names(header);
    return std::all_of(names.begin(), names.end(), [&](const std::string& name) {
        const bool is_control = std::any_of(name.begin(), name.end(), [](char c) { return c >= 0 && c < ' '; });
        const bool is_data = name.find('.') == std::string::npos || has_end(name, kDataEndings);
        return !is_control && (is_cms_name(name) || (is_typed && is_data));
    });
}

bool is_mail_type(std::string_view type) {
    return type == "message/rfc822" || type == "message/global" || type == "message/news";
}

EntityKind classify(const mime::Header& header) {
    const mime::Parameterized type = mime::content_type(header);
    if (type.value == "multipart/signed") {
        const std::string protocol = mime::ascii_lower(type.parameter("protocol"));
        if (protocol.empty() || is_signature_type(protocol)) return EntityKind::clear_signed;
    }
    if (is_cms_type(type.value) || named_like_cms(header, type)) return EntityKind::cms;
    if (type.value.starts_with("multipart/")) return EntityKind::multipart;
    const mime::TransferEncoding encoding = mime::transfer_encoding(header);
    const bool encoded =
        encoding == mime::TransferEncoding::base64 || encoding == mime::TransferEncoding::quoted_printable;
    if (is_mail_type(type.value) && !encoded) return EntityKind::message;
    return EntityKind::leaf;
}

mime::TransferEncoding cms_encoding(Window& body, const mime::Header& header) {
    const mime::TransferEncoding encoding = mime::transfer_encoding(header);
    if (encoding == mime::TransferEncoding::base64 || encoding == mime::TransferEncoding::quoted_printable)
        return encoding;
    return recognise(body) == InputForm::base64 ? mime::TransferEncoding::base64 : encoding;
}

std::string sniff_content_type(Window& body, const mime::Header& header) {
    const mime::TransferEncoding encoding = cms_encoding(body, header);
    try {
        ViewSource front(whole_lines(body.peek(kFront)));
        const auto decoded = mime::decode(front, encoding);
        BerReader reader(*decoded);
        return enter_content_info(reader);
    } catch (const Error&) {
        return "";
    }
}

bool is_encrypted_content_type(std::string_view type) {
    return type == oid::kEnvelopedData || type == oid::kAuthEnvelopedData || type == oid::kEncryptedData;
}

bool is_cms_content_type(std::string_view type) {
    return type == oid::kData || type == oid::kSignedData || type == oid::kCompressedData ||
           type == oid::kDigestedData || type == oid::kAuthenticatedData || is_encrypted_content_type(type);
}

std::string content_type_name(const std::string& type) {
    const ObjectHandle object(OBJ_txt2obj(type.c_str(), 1));
    const int nid = object ? OBJ_obj2nid(object.get()) : NID_undef;
    return nid == NID_undef ? type : fmt::format("{} ({})", OBJ_nid2ln(nid), type);
}

void EntityStart::refuse() const {
    if (exceeds) throw LimitExceeded(fault);
    throw Error(ErrorKind::malformed, fault);
}

EntityStart read_entity_start(Window& content) {
    if (!is_mime_entity(content.peek(kFront))) return {};
    ViewSource front(header_front(content));
    Window window(front);
    try {
        mime::Header header = mime::read_header(window);
        content.consume(window.position());
        return {std::move(header)};
    } catch (const Error& error) {
        return {{}, error.what(), dynamic_cast<const LimitExceeded*>(&error) != nullptr};
    }
}

mime::Header read_entity_header(Window& content) {
    EntityStart start = read_entity_start(content);
    if (!start.fault.empty()) start.refuse();
    return std::move(start.header);
}

}  // namespace p11mime::cms::smime
