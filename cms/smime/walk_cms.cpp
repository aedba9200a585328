#include <fmt/format.h>

#include <algorithm>

#include "cms/identifiers.h"
#include "cms/smime/classify.h"
#include "cms/smime/first_bytes.h"
#include "cms/smime/joined_source.h"
#include "cms/smime/walk.h"
#include "mime/line_endings.h"
#include "mime/transport.h"

namespace p11mime::cms::smime {

namespace {

constexpr std::size_t kFront = 4096;

bool is_control(Byte byte) {
    return byte == 0x7f || (byte < 0x20 && byte != '\t' && byte != '\r' && byte != '\n');
}

// is_text accepts UTF-8 without control characters; a sequence cut off at the end of the front is fine.
bool is_text(ByteView front) {
    for (std::size_t i = 0; i < front.size();) {
        const Byte byte = front[i];
        if (byte < 0x80) {
            if (is_control(byte)) return false;
            ++i;
            continue;
        }
        const std::size_t more = byte >= 0xf0 && byte < 0xf5 ? 3 : byte >= 0xe0 ? 2 : 1;
        if (byte < 0xc2 || byte >= 0xf5) return false;
        for (std::size_t j = 1; j <= more && i + j < front.size(); ++j)
            if ((front[i + j] & 0xc0) != 0x80) return false;
        i += more + 1;
    }
    return true;
}

// is_plausible says whether content can be what was encrypted. A wrong key passes the padding of CBC once in 256 times,
// and what it gives starts like a header now and then: a colon soon after the start, or an empty line. So the header
// must be free of control characters, and what follows an empty one must be text.
bool is_plausible(ByteView front) {
    const std::string_view text = text_of(front);
    if (!is_mime_entity(front) || text.starts_with('\n') || text.starts_with("\r\n")) return is_text(front);
    const std::size_t end = std::min(text.find("\n\n"), text.find("\n\r\n"));
    const ByteView header = front.first(std::min(end, front.size()));
    return std::none_of(header.begin(), header.end(), is_control);
}

Error changed() {
    return {ErrorKind::failed,
            "the content does not decrypt: it was changed on the way, or encrypted with another key or password",
            "ask the sender to send it again"};
}

Carried carried_by(const SignedDataReader& reader) {
    return {.certificates = reader.certificates().size(),
            .other_certificates = reader.other_certificates(),
            .crls = reader.crl_count(),
            .other_revocation_infos = reader.other_revocation_infos()};
}

std::string decrypt_intent(const Report& report) {
    std::string what = "open a mail";
    if (!report.from.empty()) what = "open the mail from " + report.from.front();
    if (report.subject) what += fmt::format(", '{}'", *report.subject);
    return what;
}

}  // namespace

std::size_t Walk::add_layer(LayerType type, const std::string& media_type, const Place& place) {
    Layer layer;
    layer.path = place.path;
    layer.parent = place.parent;
    layer.type = type;
    layer.covers_whole = place.whole;
    layer.media_type = media_type;
    report_.layers.push_back(std::move(layer));
    return report_.layers.size() - 1;
}

void Walk::judge(std::size_t layer, const SignedDataReader& reader, const SignedContent& signed_content,
                 const Place& place) {
    const Sender nobody;
    const Trust* trust = options_.task == Task::inspect ? nullptr : trust_;
    JudgedSigners judged = judge_signers(reader, signed_content, trust, place.whole ? sender_ : nobody);
    report_.layers[layer].signers = std::move(judged.verdicts);
    report_.layers[layer].carried = carried_by(reader);
    for (Warning& warning : judged.warnings)
        if (std::find(report_.warnings.begin(), report_.warnings.end(), warning) == report_.warnings.end())
            report_.warnings.push_back(std::move(warning));  // a detached signature is judged over several forms
    for (Bytes& value : signed_content.digests.values())
        evidence_.push_back(std::move(value));
    if (trust == nullptr) return;
    LayerKnowledge& known = knowledge_[place.path];
    for (Hash hash : judged.missing_digests)
        again_ = known.digests.insert(hash).second || again_;
    if (!judged.all_unsupported.empty()) throw Error(ErrorKind::malformed, judged.all_unsupported);
}

void Walk::cms(Source& der, const std::string& media_type, const Place& place, bool bare) {
    BerReader ber(der);
    const std::string type = enter_content_info(ber);
    if (type == oid::kSignedData) {
        if (bare && !takes_signed()) {
            left_alone_ = "the input is signed, not encrypted";
            return;
        }
        signed_data(ber, media_type, place, bare);
    } else if (type == oid::kEnvelopedData || type == oid::kAuthEnvelopedData) {
        if (bare && !takes_encrypted()) {
            left_alone_ = "the input is encrypted";
            return;
        }
        encrypted(ber, media_type, place, bare, type == oid::kAuthEnvelopedData);
    } else if (type == oid::kData) {
        ber.begin_octets(tag::kOctetString, "content");
        OctetsSource octets(ber);
        content(octets, type, place.child(1, true), bare);
    } else {
        const ObjectHandle object(OBJ_txt2obj(type.c_str(), 1));
        const int nid = object ? OBJ_obj2nid(object.get()) : NID_undef;
        throw Error(ErrorKind::malformed,
                    fmt::format("unsupported content type {}", nid == NID_undef ? type : OBJ_nid2ln(nid)));
    }
    if (options_.task == Task::inspect && type != oid::kSignedData && type != oid::kData) return drain(der);
    leave_content_info(ber);
}

// content walks on in what a CMS layer held.
void Walk::content(Source& from, const std::string& type, const Place& place, bool bare) {
    Window window(from);
    if (type == oid::kData && (!bare || is_mime_entity(window.peek(kFront)))) {
        const mime::Header header = read_entity_header(window);
        entity(header, window, place);
    } else if (place.output != nullptr) {
        copy(window, *place.output);
    }
    drain(window);
}

void Walk::signed_data(BerReader& ber, const std::string& media_type, const Place& place, bool bare) {
    SignedDataReader reader(ber);
    const std::size_t layer = add_layer(LayerType::signed_data, media_type, place);
    if (!reader.has_content()) {
        reader.finish();
        if (reader.signers().empty()) {
            report_.layers[layer].type = LayerType::certs_only;
            report_.layers[layer].carried = carried_by(reader);
            return;
        }
        if (bare && options_.detached_content && place.output != nullptr) return detached(reader, layer, place);
        throw Error(ErrorKind::malformed, "the signature is detached and its content is missing",
                    "name the content with --content FILE");
    }
    std::set<Hash> hashes = reader.digest_algorithms();
    hashes.merge(std::set<Hash>(knowledge_[place.path].digests));
    Digests digests(hashes);
    FirstBytes first(digests);
    TeeSource hashed(reader.content(), first);
    content(hashed, reader.content_type(), place.child(1, false), bare);
    reader.finish();
    judge(layer, reader, {digests, reader.content_type(), first.bytes}, place);
}

// detached checks a bare signature over a file: over its bytes as they are, their canonical form, and the MIME entity
// of a mail, whichever was signed.
void Walk::detached(SignedDataReader& reader, std::size_t layer, const Place& place) {
    std::set<Hash> hashes = reader.digest_algorithms();
    hashes.merge(std::set<Hash>(knowledge_[place.path].digests));
    const auto judge_over = [&](Source& content) {
        Digests digests(hashes);
        FirstBytes first(digests);
        copy(content, first);
        judge(layer, reader, {digests, reader.content_type(), first.bytes}, place);
        const auto& signers = report_.layers[layer].signers;
        return std::any_of(signers.begin(), signers.end(),
                           [](const SignerVerdict& signer) { return signer.integrity == Integrity::valid; });
    };
    const auto over_bytes = [&] { return judge_over(*options_.detached_content->open()); };
    const auto over_canonical_form = [&] {
        const auto source = options_.detached_content->open();
        return judge_over(*mime::canonical(*source));
    };
    const auto over_entity = [&] {
        const auto source = options_.detached_content->open();
        Window window(*source);
        if (recognise(window) != InputForm::entity) return false;
        const Mail mail = read_mail(window, false);
        JoinedSource entity(mail.entity.raw(), window);
        mime::TransportSafe canonical(entity, mime::Canonicalisation::enclosed, {});
        return judge_over(canonical);
    };
    if (!over_bytes() && !over_canonical_form() && !over_entity()) over_bytes();
    if (!again_ && place.output != nullptr) copy(*options_.detached_content->open(), *place.output);
}

// note_cipher says how far a cipher is to be relied on. A weak one has done its damage before the mail is read, so it
// is a warning and nothing more.
void Walk::note_cipher(const ContentEncryptionAlgorithm& algorithm, Layer& layer) {
    const bool weak = algorithm.cipher->standing != Standing::ok;
    layer.strength = weak ? Strength::weak : Strength::ok;
    if (weak && options_.task != Task::inspect)
        report_.warnings.push_back(
            {"weak-cipher", fmt::format("{} is weak: others may have been able to read this", algorithm.cipher->name)});
}

void Walk::encrypted(BerReader& ber, const std::string& media_type, const Place& place, bool bare, bool authenticated) {
    EnvelopedDataReader reader(ber, authenticated);
    const std::size_t index =
        add_layer(authenticated ? LayerType::auth_enveloped : LayerType::enveloped, media_type, place);
    Layer& layer = report_.layers[index];
    layer.cipher = reader.cipher_name();
    if (reader.supported()) note_cipher(reader.algorithm(), layer);
    for (const RecipientEntry& entry : reader.recipients())
        layer.recipients.push_back({entry.identifier.text(), entry.key_management, false});
    if (options_.task == Task::inspect) return;
    if (place.output == nullptr) {
        report_.warnings.push_back(
            {"encrypted-part", fmt::format("part {} is encrypted by itself and was left as it is", place.path)});
        drain(reader.ciphertext());
        return reader.finish();
    }

    LayerKnowledge& known = knowledge_[place.path];
    const std::size_t key_size = reader.algorithm().cipher->key_size;
    if (!known.key)
        known.key = find_content_key(*keys_, options_.secrets, reader.recipients(), key_size, decrypt_intent(report_),
                                     options_.stop);
    if (known.key->key.size() != key_size) throw changed();
    if (known.key->recipient && *known.key->recipient < layer.recipients.size())
        layer.recipients[*known.key->recipient].used = true;

    ContentDecryption plaintext(reader.ciphertext(), reader.algorithm(), known.key->key, known.associated_data);
    const auto ends_well = [&] {
        drain(plaintext);
        reader.finish();
        evidence_.push_back(reader.tag());
        if (authenticated && reader.associated_data() != known.associated_data) {
            known.associated_data = reader.associated_data();
            again_ = true;
            return true;
        }
        return plaintext.finish(reader.tag());
    };
    try {
        Window window(plaintext);
        const bool plausible = authenticated || (bare && known.key->certain) || is_plausible(window.peek(kFront));
        if (!plausible) throw changed();
        content(window, reader.content_type(), place.child(1, false), bare);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        // What is malformed inside may be so because the ciphertext was changed: that is the answer then.
        if (!ends_well() || !authenticated) throw changed();
        if (again_) return;
        throw;
    }
    if (!ends_well()) throw changed();
    report_.layers[index].authenticated = authenticated;
    if (!authenticated)
        report_.warnings.push_back(
            {"not-authenticated",
             fmt::format("{} does not authenticate: that the content was changed on the way would not show",
                         reader.cipher_name())});
}

}  // namespace p11mime::cms::smime
