#include "cms/smime/walk.h"

#include <fmt/format.h>

#include <algorithm>

#include "cms/identifiers.h"
#include "cms/smime/armour.h"
#include "cms/smime/classify.h"
#include "cms/smime/first_bytes.h"
#include "mime/address.h"
#include "mime/codec.h"
#include "mime/line_endings.h"
#include "mime/multipart.h"
#include "mime/transport.h"

namespace p11mime::cms::smime {

namespace {

// kMaxDigests bounds the digests of the same content, so that the work stays in proportion to the mail: one a level.
constexpr std::size_t kMaxDigests = mime::kMaxNesting;

// Outlet is where an entity goes that stays as it is: its header, under the transport fields of the mail, then its
// body, with the line ends of the mail (binary content as it is). A mail that had no layer goes out as it came.
class Outlet final : public Sink {
  public:
    Outlet(const Mail& mail, const mime::Header& header, bool unwrapped, Sink* output)
        : output_(output == nullptr ? nowhere_ : *output),
          lf_(output_),
          to_lf_(output != nullptr && unwrapped && mail.ending == mime::LineEnding::lf &&
                 mime::transfer_encoding(header) != mime::TransferEncoding::binary) {
        push(bytes_of(unwrapped ? content_header(mail, header) : mail.raw));
    }
    void push(ByteView bytes) override { (to_lf_ ? static_cast<Sink&>(lf_) : output_).push(bytes); }
    void finish() {
        if (to_lf_) lf_.finish();
    }

  private:
    NullSink nowhere_;
    Sink& output_;
    mime::LfSink lf_;
    bool to_lf_;
};

}  // namespace

Walk::Place Walk::Place::child(std::size_t number, bool same_layer) const {
    if (depth >= mime::kMaxNesting)
        throw Error(ErrorKind::malformed,
                    fmt::format("the mail is nested more than {} levels deep", mime::kMaxNesting));
    Place inner = *this;
    inner.path = fmt::format("{}.{}", path, number);
    if (!same_layer) inner.parent = path;
    ++inner.depth;
    return inner;
}

Walk::Place Walk::Place::under(const mime::Header& header) const {
    Place inner = *this;
    inner.header_fields += header.fields.size();
    for (const mime::Field& field : header.fields)
        inner.header_bytes += field.raw.size();
    if (inner.header_fields > mime::kMaxHeaderFields || inner.header_bytes > mime::kMaxHeaderBytes)
        throw Error(ErrorKind::malformed, "the headers of parts inside each other are larger together than the limit");
    return inner;
}

Walk::Place Walk::Place::content(std::size_t digests_of_it) const {
    Place inner = child(1, false);
    inner.digests += digests_of_it;
    if (inner.digests > kMaxDigests)
        throw Error(ErrorKind::malformed,
                    fmt::format("the layers of the mail ask for more than {} digests of the same content", kMaxDigests),
                    "it is made to exhaust whoever reads it");
    return inner;
}

void Walk::run(Source& input, Sink& output) {
    report_.signatures_looked_for = takes_signed();
    MeasuredSource expanded(input, expansion_);
    MeasuredSource worked_on(expanded, workload_);
    Window window(worked_on);
    const InputForm form = recognise(window);
    sender_.check = options_.sender_check.value_or(SenderCheck::off);
    if (form == InputForm::entity || options_.entity) {
        mail_ = read_mail(window, options_.entity);
        report_.from = mail_.from();
        report_.subject = mail_.subject();
        report_.date = mail_.date();
        sender_.mailboxes = report_.from;
        if (report_.date) sender_.date = parse_time(*report_.date);
        entity(mail_.entity, window,
               {.path = "1", .parent = std::nullopt, .whole = true, .depth = 0, .output = &output});
    } else if (form == InputForm::other) {
        throw Error(ErrorKind::malformed,
                    window.peek(1).empty() ? "the input is empty" : "the input is neither a mail nor CMS");
    } else {
        bare_cms(window, form, output);
    }
    if (again_) return;
    require_layer();
    if (options_.task != Task::inspect) conclude(report_, sender_, options_.allow_weak);
}

// require_layer refuses a mail without a layer of the kind that the task is for.
void Walk::require_layer() const {
    if (options_.task == Task::open || options_.task == Task::inspect) return;
    const bool verify = options_.task == Task::verify;
    const Layer* certificates = nullptr;
    const Layer* part = nullptr;
    for (const Layer& layer : report_.layers) {
        const bool encrypted = is_encrypted(layer.type);
        if (verify ? layer.type == LayerType::signed_data : encrypted && layer.covers_whole) return;
        if (layer.type == LayerType::certs_only) certificates = &layer;
        if (encrypted) part = &layer;
    }
    if (!left_alone_.empty()) throw Error(ErrorKind::malformed, left_alone_, "'p11mime open' takes off every layer");
    if (part != nullptr)
        throw Error(ErrorKind::malformed, fmt::format("only a part of the mail ({}) is encrypted", part->path),
                    "save that part and decrypt it by itself");
    if (verify && certificates != nullptr)
        throw Error(ErrorKind::malformed, "the mail carries certificates and no signature",
                    "'p11mime certs import' keeps certificates");
    throw Error(ErrorKind::malformed, verify ? "the mail is not signed" : "the mail is not encrypted");
}

void Walk::bare_cms(Window& input, InputForm form, Sink& output) {
    const Place place{.path = "1", .parent = std::nullopt, .whole = true, .depth = 0, .output = &output};
    if (form == InputForm::der) return cms(input, "", place, true);
    PemSource lines(input);
    Source& base64 = form == InputForm::pem ? static_cast<Source&>(lines) : input;
    const auto der = mime::decode(base64, mime::TransferEncoding::base64);
    cms(*der, "", place, true);
}

// note_sender holds the From fields inside a layer against the signer too: they replace the outer ones in what is
// written.
void Walk::note_sender(const mime::Header& header) {
    for (const mime::Field* field : header.all("From"))
        for (mime::Address& address : mime::parse_addresses(field->value()))
            if (std::find(sender_.mailboxes.begin(), sender_.mailboxes.end(), address.mailbox) ==
                sender_.mailboxes.end())
                sender_.mailboxes.push_back(std::move(address.mailbox));
    const bool has_from = mail_.has_from() || header.find("From") != nullptr;
    if (has_from && !options_.sender_check) sender_.check = SenderCheck::require;
}

void Walk::entity(const mime::Header& header, Window& body, const Place& around) {
    const Place place = around.under(header);
    if (place.whole) note_sender(header);
    switch (classify(header)) {
        case EntityKind::clear_signed:
            if (takes_signed()) return clear_signed(header, body, place);
            if (left_alone_.empty()) left_alone_ = "the mail is signed on the outside";
            return deliver(header, body, place);
        case EntityKind::cms:
            return cms_entity(header, body, place);
        case EntityKind::multipart:
            return multipart(header, body, place);
        case EntityKind::message:
            return message(header, body, place);
        case EntityKind::leaf:
            return deliver(header, body, place);
    }
}

// deliver writes an entity that stays as it is: the content of the mail, under the transport fields of the mail.
void Walk::deliver(const mime::Header& header, Source& body, const Place& place) {
    Outlet outlet(mail_, header, place.depth > 0, place.output);
    copy(body, outlet);
    outlet.finish();
}

// deliver_structure writes a CMS structure that stays on as a ContentInfo of its own: in a mail as its only part.
void Walk::deliver_structure(const std::string& type, Source& structure, const Place& place, bool bare) {
    constexpr Byte kIndefinite = 0x80;
    const Byte sequence[]{tag::kSequence, kIndefinite}, explicit_content[]{tag::context(0, true), kIndefinite};
    const Byte ends[]{0, 0, 0, 0};
    const auto write = [&](Sink& to) {
        to.push(concat({sequence, der_oid(type), explicit_content}));
        copy(structure, to);
        to.push(ends);
    };
    if (place.output == nullptr) return;
    if (bare) return write(*place.output);
    ViewSource text(
        bytes_of("Content-Type: application/pkcs7-mime; name=smime.p7m\r\n"
                 "Content-Transfer-Encoding: base64\r\n"
                 "Content-Disposition: attachment; filename=smime.p7m\r\n\r\n"));
    Window header(text);
    Outlet outlet(mail_, mime::read_header(header), true, place.output);
    const auto base64 = mime::base64_encoder(outlet, mime::LineEnding::crlf);
    write(*base64);
    base64->finish();
    outlet.finish();
}

// multipart delivers a multipart as it is and looks into its parts meanwhile: layers in them cover only a part of the
// mail and stay on.
void Walk::multipart(const mime::Header& header, Window& body, const Place& place) {
    const std::string boundary = mime::content_type(header).parameter("boundary");
    if (boundary.empty() || boundary.size() > mime::kMaxBoundaryLength) return deliver(header, body, place);

    Outlet outlet(mail_, header, place.depth > 0, place.output);
    TeeSource delivered(body, outlet);
    Window looked_at(delivered);
    mime::Multipart parts(looked_at, boundary);
    drain(parts.preamble());
    for (std::size_t number = 1; parts.next(); ++number) {
        look_into(parts.part(), place.child(number, true));
    }
    drain(parts.epilogue());
    drain(looked_at);
    outlet.finish();
}

// message delivers a mail inside the mail as it is and looks into it meanwhile.
void Walk::message(const mime::Header& header, Window& body, const Place& place) {
    Outlet outlet(mail_, header, place.depth > 0, place.output);
    TeeSource delivered(body, outlet);
    look_into(delivered, place.child(1, true));
    outlet.finish();
}

void Walk::look_into(Source& part, Place place) {
    place.whole = false;
    place.output = nullptr;
    WorkSource level(part, workload_);
    Window window(level);
    const mime::Header header = read_entity_header(window);
    entity(header, window, place);
    drain(window);
}

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

constexpr std::size_t kMaxFirstLine = 64 * 1024;

}  // namespace

void Walk::clear_signed(const mime::Header& header, Window& body, const Place& place) {
    const mime::Parameterized type = mime::content_type(header);
    const std::size_t layer = add_layer(LayerType::signed_data, type.value, place);
    std::set<Hash> hashes = announced_digests(type.parameter("micalg"));
    hashes.merge(std::set<Hash>(knowledge_[place.path].digests));
    Digests digests(hashes);
    FirstBytes first(digests);

    mime::Multipart parts(body, type.parameter("boundary"));
    drain(parts.preamble());
    if (!parts.next()) throw Error(ErrorKind::malformed, "multipart/signed without parts");
    {
        WorkSource level(parts.part(), workload_, 1 + hashes.size());
        Window raw(level);
        mime::CanonicalSink canonical(first);
        const bool lf_lines = has_lf_lines(raw.peek(kMaxFirstLine));
        TeeSource hashed(raw, lf_lines ? static_cast<Sink&>(canonical) : first);
        Window inner(hashed);
        const mime::Header inner_header = read_entity_header(inner);
        entity(inner_header, inner, place.content(hashes.size()));
        drain(inner);
    }
    report_.layers[layer].byte_ranges.emplace_back(parts.part_begin(), parts.part_end());

    if (!parts.next()) throw Error(ErrorKind::malformed, "multipart/signed without a signature part");
    Window signature(parts.part());
    const mime::Header signature_header = read_entity_header(signature);
    const auto der = mime::decode(signature, cms_encoding(signature, signature_header));
    BerReader ber(*der);
    if (enter_content_info(ber) != oid::kSignedData)
        throw Error(ErrorKind::malformed, "the signature part holds no SignedData");
    SignedDataReader reader(ber);
    const bool own_content = reader.has_content();
    if (own_content) drain(reader.content());
    finish_signed(reader);
    leave_content_info(ber);
    judge(layer, reader, {digests, reader.content_type(), first.bytes}, place);
    if (own_content)
        for (SignerVerdict& signer : report_.layers[layer].signers) {
            signer.integrity = Integrity::invalid;
            signer.integrity_reason = "the signature part carries content of its own";
        }
    if (parts.next()) {
        // The layers inside are beside the further part as well.
        for (std::size_t i = layer; i < report_.layers.size(); ++i)
            report_.layers[i].covers_whole = false;
        report_.warnings.push_back(
            {"extra-part", "multipart/signed has more than two parts; the others are not covered"});
    }
    drain(parts.epilogue());
}

// leaves_alone says whether the task leaves a structure of a type on, and keeps why.
bool Walk::leaves_alone(const std::string& type, const char* what) {
    const char* kind = nullptr;
    if (type == oid::kSignedData && !takes_signed()) kind = "signed";
    if (type == oid::kAuthenticatedData && (options_.task == Task::verify || options_.task == Task::decrypt))
        kind = "authenticated with a key that is shared";
    if (is_encrypted_content_type(type) && options_.task == Task::verify) kind = "encrypted";
    if (kind != nullptr && left_alone_.empty()) left_alone_ = fmt::format("{} is {} on the outside", what, kind);
    return kind != nullptr;
}

void Walk::cms_entity(const mime::Header& header, Window& body, const Place& place) {
    if (leaves_alone(sniff_content_type(body, header), "the mail")) return deliver(header, body, place);
    const std::uint64_t begin = body.position();
    const std::size_t layer = report_.layers.size();
    const auto der = mime::decode(body, cms_encoding(body, header));
    cms(*der, mime::content_type(header).value, place, false);
    drain(body);
    if (layer < report_.layers.size()) report_.layers[layer].byte_ranges.emplace_back(begin, body.position());
}

}  // namespace p11mime::cms::smime
