// multipart/signed (RFC 8551 section 3.5.3).

#include <fmt/format.h>

#include <algorithm>

#include "cms/identifiers.h"
#include "cms/smime/classify.h"
#include "cms/smime/first_bytes.h"
#include "cms/smime/notices.h"
#include "cms/smime/protected_headers.h"
#include "cms/smime/walk.h"
#include "mime/codec.h"
#include "mime/content_type_oddity.h"
#include "mime/line_endings.h"
#include "mime/multipart.h"
#include "mime/near_delimiters.h"
#include "mime/text.h"

namespace p11mime::cms::smime {

namespace {

// announced_digests reads micalg (RFC 8551 section 3.5.3.2); unusable, it is SHA-256, and the SignerInfos tell better.
std::set<Hash> announced_digests(std::string_view micalg) {
    std::set<Hash> hashes;
    while (!micalg.empty()) {
        const std::size_t comma = std::min(micalg.find(','), micalg.size());
        std::string_view token = micalg.substr(0, comma);
        while (!token.empty() && token.front() == ' ')
            token.remove_prefix(1);
        while (!token.empty() && token.back() == ' ')
            token.remove_suffix(1);
        const Algorithm* row = digest_for_micalg(token);
        if (row != nullptr && row->hash) hashes.insert(*row->hash);
        micalg.remove_prefix(std::min(comma + 1, micalg.size()));
    }
    return hashes.empty() ? std::set<Hash>{Hash::sha256} : hashes;
}

// has_lf_lines says whether the first line of a part ends in a bare LF: then the whole part was stored with LF, and its
// canonical form was signed.
bool has_lf_lines(ByteView front) {
    const std::string_view text = text_of(front);
    const std::size_t lf = text.find('\n');
    return lf != std::string_view::npos && (lf == 0 || text[lf - 1] != '\r');
}

constexpr const char* kNothingBeside = "rely on nothing outside the signed part";
constexpr std::size_t kMaxFirstLine = 64 * 1024;

// DashedLines passes a part on and looks for lines that start like a delimiter: programs that read the boundary, or the
// ends of lines, in another way see a part begin there.
class DashedLines final : public Source {
  public:
    explicit DashedLines(Source& from) : from_(from) {}
    ByteView pull() override {
        const ByteView piece = from_.pull();
        for (const char c : text_of(piece)) {
            found_ = found_ || (c == '-' && one_dash_);
            one_dash_ = c == '-' && is_line_end(before_);
            before_ = c;
        }
        return piece;
    }
    bool found() const { return found_; }

  private:
    static bool is_line_end(char c) { return c == '\r' || c == '\n'; }

    Source& from_;
    char before_ = '\n';
    bool one_dash_ = false;  // the line has one so far, at its start
    bool found_ = false;
};

}  // namespace

// note_signature_part doubts a header that lets programs show the signature part: no signature covers what is in it.
void Walk::note_signature_part(const mime::Header& header) {
    note_fields(header.fields);
    note_around(header);
    note_label(header);
    if (!is_signature_part(header))
        doubt("the signature part is not labelled as a signature: some programs show what is in it", kNothingBeside);
    const bool of_mail = std::any_of(header.fields.begin(), header.fields.end(), [](const mime::Field& field) {
        return !mime::is_mime_field(field.name) && !mime::equal_ignoring_case(field.name, "MIME-Version") &&
               !is_of_relays(field.name) && !mime::ascii_lower(field.name).starts_with("x-");
    });
    if (of_mail)
        doubt("the signature part has header fields of a mail: some programs show them as the mail's", kNothingBeside);
}

// note_text_beside doubts a mail with text before or after the parts of a signature: some programs show it.
void Walk::note_text_beside(Source& text, std::size_t layer, const Place& place) {
    constexpr std::size_t kMostKept = 1024;
    std::string kept;  // the text from its first letter on
    bool goes_on = false;
    for (ByteView piece = text.pull(); !piece.empty(); piece = text.pull()) {
        std::string_view more = text_of(piece);
        if (kept.empty()) more.remove_prefix(std::min(more.find_first_not_of(" \t\r\n"), more.size()));
        const std::size_t room = std::min(kMostKept - kept.size(), more.size());
        kept += more.substr(0, room);
        goes_on = goes_on || !mime::trim(more.substr(room)).empty();
    }
    const std::string_view seen = mime::trim(kept);
    const bool harmless = seen.empty() || (is_notice(seen) && !goes_on);
    if (!place.whole || harmless) return;
    doubt("there is text beside the signed part that is not signed", kNothingBeside);
    beside_text_ = std::min(beside_text_.value_or(layer), layer);
}

// tell_text_beside says so of the layers inside that signature too: they are judged as those of the whole mail.
void Walk::tell_text_beside() {
    for (std::size_t i = beside_text_.value_or(report_.layers.size()); i < report_.layers.size(); ++i)
        report_.layers[i].covers_whole = false;
}

void Walk::note_range(std::size_t layer, const Place& place, std::uint64_t begin, std::uint64_t end) {
    if (place.begin) report_.layers[layer].byte_ranges.emplace_back(*place.begin + begin, *place.begin + end);
}

void Walk::clear_signed(const mime::Header& header, Window& body, const Place& place) {
    const mime::Parameterized type = mime::content_type(header);
    const std::size_t layer = add_layer(LayerType::signed_data, type.value, place);
    std::set<Hash> hashes = announced_digests(type.parameter("micalg"));
    hashes.merge(std::set<Hash>(knowledge_[place.path].digests));
    Digests digests(hashes);
    FirstBytes first(digests);

    const Place inside = place.signed_content(hashes.size());
    const std::string boundary = type.parameter("boundary");
    mime::Multipart parts(body, boundary);
    MultipartLevel multipart(levels_, boundary);
    note_text_beside(parts.preamble(), layer, place);
    if (!multipart.next(parts)) throw Error(ErrorKind::malformed, "multipart/signed without parts");
    mime::NearDelimiters lines(parts.part(), boundary, mime::boundary_cut_short(*header.find("Content-Type")));
    {
        WorkSource level(lines, workload_, hashes.size());
        Window raw(level);
        mime::CanonicalSink canonical(first);
        const bool lf_lines = has_lf_lines(raw.peek(kMaxFirstLine));
        TeeSource hashed(raw, lf_lines ? static_cast<Sink&>(canonical) : first);
        content(hashed, std::string(oid::kData), inside, false);
    }
    note_range(layer, place, parts.part_begin(), parts.part_end());
    if (place.whole && lines.count() != multipart.inner())
        doubt("the signed part has a line that some programs take for the start of another part", kNothingBeside);

    if (!multipart.next(parts)) throw Error(ErrorKind::malformed, "multipart/signed without a signature part");
    DashedLines signature_lines(parts.part());
    Window signature(signature_lines);
    const mime::Header signature_header = read_entity_header(signature);
    if (place.whole) note_signature_part(signature_header);
    const auto der = mime::decode(signature, cms_encoding(signature, signature_header));
    BerReader ber(*der);
    if (enter_content_info(ber) != oid::kSignedData)
        throw Error(ErrorKind::malformed, "the signature part holds no SignedData");
    SignedDataReader reader(ber);
    const bool own_content = reader.has_content();
    if (own_content) drain(reader.content());
    const std::string fault = own_content ? "the signature part carries content of its own"
                              : reader.content_type() != oid::kData
                                  ? fmt::format("it is made for content of the type {}, and not for mail",
                                                content_type_name(reader.content_type()))
                                  : "";
    finish_signed(reader);
    leave_content_info(ber);
    judge(layer, reader, {digests, reader.content_type(), first.bytes}, place);
    if (!fault.empty())
        for (SignerVerdict& signer : report_.layers[layer].signers) {
            signer.integrity = Integrity::invalid;
            signer.integrity_reason = fault;
        }
    refuse_excess(inside, layer);
    drain(signature);
    if (place.whole && signature_lines.found())
        doubt("the signature part has a line that some programs take for the start of another part", kNothingBeside);
    if (multipart.next(parts)) {
        // The layers inside are beside the further part as well.
        for (std::size_t i = layer; i < report_.layers.size(); ++i)
            report_.layers[i].covers_whole = false;
        report_.warnings.push_back(
            {"extra-part", "multipart/signed has more than two parts; the others are not covered"});
    }
    note_text_beside(parts.epilogue(), layer, place);
}

}  // namespace p11mime::cms::smime
