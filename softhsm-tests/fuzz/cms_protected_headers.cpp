// Any bytes as a mail: its header fields go inside, are taken out again and are held against those outside. An old
// reader's lines are put into its text and left out again, alike in pieces of any size.
#include <algorithm>
#include <cstdlib>
#include <string>

#include "cms/smime/legacy_display.h"
#include "cms/smime/protected_headers.h"
#include "cms/smime/protection.h"
#include "cms/smime/sender.h"
#include "mime/content_type.h"
#include "mime/error.h"
#include "softhsm-tests/mime_pieces.h"

using namespace p11mime;
using namespace p11mime::cms::smime;

namespace {

// edited is the mail with lines for old readers, or without; a broken part is its error.
std::string edited(std::string_view mail, std::size_t piece_size, bool add) {
    try {
        test::PieceSource source(mail, piece_size);
        Window window(source);
        mime::Header header = mime::read_header(window);
        Protection protection;
        protection.hidden = {{"Subject", "Gr\xc3\xbc\xc3\x9f", "=?utf-8?q?Gr=C3=BC=C3=9F?="}};
        const mime::Field subject = mime::make_field("Subject", protection.hidden[0].ascii, mime::LineEnding::crlf);
        const auto entity = add ? with_legacy_display(std::move(header), window, protection)
                                : without_legacy_display(std::move(header), window, {subject}, [] {});
        std::string text = entity->header().raw();
        for (ByteView piece = entity->pull(); !piece.empty(); piece = entity->pull())
            text += text_of(piece);
        return text;
    } catch (const Error& error) {
        return error.what();
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view mail = text_of({data, size});
    for (const bool add : {true, false})
        if (edited(mail, 0, add) != edited(mail, 3, add)) std::abort();
    edited(edited(mail, 0, true), 0, false);

    mime::Header header;
    try {
        ViewSource source({data, size});
        Window window(source);
        header = mime::read_header(window);
    } catch (const Error&) {
        return 0;
    }
    if (const auto inner = protected_header(header))
        for (const bool encrypted : {false, true})
            hold_against(*inner, header.fields, encrypted);
    wrapped_header(header);
    view_sender(header.fields, {}, {});
    std::vector<mime::Field> transport;
    for (const mime::Field& field : header.fields)
        if (!mime::is_mime_field(field.name)) transport.push_back(field);
    for (const bool encrypted : {false, true}) {
        Protection protection = protect(transport, encrypted);
        mime::Header payload;
        payload.fields = protection.inside;
        payload.fields.push_back(
            mark_protected(mime::make_field("Content-Type", "text/plain", mime::LineEnding::crlf), encrypted));
        const auto inner = protected_header(payload);
        if (!inner) std::abort();
        // Nothing that was put inside differs from what was left outside, and nothing hidden was left there.
        for (const Warning& warning : hold_against(*inner, protection.outside, encrypted).warnings)
            if (warning.kind == "header-differs") std::abort();
        for (const mime::Field& field : protection.outside)
            if (encrypted && mime::equal_ignoring_case(field.name, "Subject") && field.value() != kHiddenSubject)
                std::abort();
    }
    for (const mime::Field& field : header.fields) {
        const mime::Field marked = mime::with_parameter(field, "hp", "cipher");
        if (mime::without_parameter(marked, "hp").raw.size() > marked.raw.size()) std::abort();
    }
    return 0;
}
