#include <fmt/format.h>

#include <algorithm>

#include "cms/compressed_data.h"
#include "cms/digested_data.h"
#include "cms/identifiers.h"
#include "cms/smime/classify.h"
#include "cms/smime/first_bytes.h"
#include "cms/smime/joined_source.h"
#include "cms/smime/walk.h"
#include "mime/limit.h"
#include "mime/line_endings.h"
#include "mime/transport.h"

namespace p11mime::cms::smime {

namespace {

// names_address says whether a mail names a sender with an address.
bool names_address(const Mail& mail) {
    Sender sender;
    for (const mime::Field& field : mail.transport)
        if (mime::equal_ignoring_case(field.name, "From") || mime::equal_ignoring_case(field.name, "Sender"))
            add_senders(sender, field.value());
    return !sender.mailboxes.empty() || !sender.contradiction.empty();
}

Error changed(const std::string& digest) {
    return {ErrorKind::failed, fmt::format("the content was changed on the way: its {} digest is another", digest),
            "ask the sender to send it again"};
}

// Raised is a flag that is up as long as it lives.
class Raised {
  public:
    explicit Raised(bool& flag) : flag_(flag) { flag_ = true; }
    ~Raised() { flag_ = false; }
    Raised(const Raised&) = delete;
    Raised& operator=(const Raised&) = delete;

  private:
    bool& flag_;
};

Carried carried_by(const SignedDataReader& reader) {
    return {.certificates = reader.certificates().size(),
            .other_certificates = reader.other_certificates(),
            .crls = reader.crl_count(),
            .other_revocation_infos = reader.other_revocation_infos()};
}

}  // namespace

std::size_t Walk::add_layer(LayerType type, const std::string& media_type, const Place& place) {
    if (report_.layers.size() == kMaxLayers)
        throw LimitExceeded(fmt::format("the mail has more than {} layers", kMaxLayers));
    Layer layer;
    layer.path = place.path;
    layer.parent = place.parent;
    layer.type = type;
    layer.covers_whole = place.whole;
    layer.media_type = media_type;
    if (type == LayerType::signed_data && !place.misread.empty()) doubt(place.misread);
    report_.layers.push_back(std::move(layer));
    return report_.layers.size() - 1;
}

// finish_signed reads what follows the content, and counts its SignerInfos: a report keeps what they say.
void Walk::finish_signed(SignedDataReader& reader) {
    reader.finish();
    signers_ += reader.signers().size();
    signer_bytes_ += reader.signer_bytes();
    if (signers_ > kMaxMailSigners)
        throw LimitExceeded(fmt::format("the mail has more than {} signers", kMaxMailSigners));
    if (signer_bytes_ > kMaxMailSignerBytes)
        throw LimitExceeded(fmt::format("the SignerInfos of the mail have more than {} bytes", kMaxMailSignerBytes));
    workload_.add_work(reader.certificates().size() * kCertificateWork);
    workload_.add_work(reader.signers().size() * reader.certificate_bytes());
}

void Walk::judge(std::size_t layer, const SignedDataReader& reader, const SignedContent& signed_content,
                 const Place& place) {
    Sender nobody;
    nobody.date = sender_.date;
    const Trust* trust = options_.task == Task::inspect ? nullptr : trust_;
    JudgedSigners judged = judge_signers(reader, signed_content, trust, place.whole ? sender_ : nobody, workload_);
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
    const OtherText decoded(levels_);
    BerReader ber(der);
    const std::string type = enter_content_info(ber);
    if (leaves_alone(type, bare ? "the input" : "the mail", place)) {
        if (bare) return;
        throw Error(ErrorKind::malformed, "there is too much white space before the CMS structure");
    }
    if (structure(ber, type, media_type, place, bare))
        leave_content_info(ber);
    else
        drain(der);
}

// structure walks into a CMS structure of a type: what a ContentInfo holds, or what stands in the octet string of the
// structure around. It says whether it has read to the end.
bool Walk::structure(BerReader& ber, const std::string& type, const std::string& media_type, const Place& place,
                     bool bare) {
    if (type == oid::kEnvelopedData) return encrypted(ber, EncryptedKind::enveloped, media_type, place, bare);
    if (type == oid::kAuthEnvelopedData) return encrypted(ber, EncryptedKind::auth_enveloped, media_type, place, bare);
    if (type == oid::kEncryptedData) return encrypted(ber, EncryptedKind::encrypted, media_type, place, bare);
    if (type == oid::kCompressedData) return compressed(ber, media_type, place, bare);
    if (type == oid::kSignedData) {
        signed_data(ber, media_type, place, bare);
    } else if (type == oid::kDigestedData) {
        digested(ber, media_type, place, bare);
    } else if (type == oid::kAuthenticatedData) {
        authenticated(ber, media_type, place, bare);
    } else if (type == oid::kData) {
        ber.begin_octets(tag::kOctetString, "content");
        OctetsSource octets(ber);
        content(octets, type, place.child(1, true), bare);
    } else {
        throw Error(ErrorKind::malformed, fmt::format("unsupported content type {}", content_type_name(type)));
    }
    return true;
}

// content walks on in what a CMS layer or the signed part of a multipart held. Where that is signed and cannot be read,
// it is left as it is from the next pass on, and refused behind the outermost signature where it exceeds a limit; what
// is encrypted is opened or not at all, and a signature around what does not decrypt is judged all the same.
void Walk::content(Source& from, const std::string& type, const Place& place, bool bare) {
    LabelWatch labels(from);
    const bool in_part = place.signatures > 0 && !place.whole;
    WorkSource level(in_part ? labels : from, workload_);
    TracedSource source(level);
    Window window(source);
    LayerKnowledge& known = knowledge_[place.path];
    const auto layers = static_cast<std::ptrdiff_t>(report_.layers.size());
    try {
        if (known.fault.empty())
            read_content(window, type, place, bare);
        else
            leave_unread(window, type, place, bare);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::failed && place.signatures > 0 && !in_sealed_) {
            failure_ = error;
            drain(window);
            return;
        }
        const bool encrypted =
            std::any_of(report_.layers.begin() + layers, report_.layers.end(),
                        [](const Layer& layer) { return is_encrypted(layer.type) && layer.covers_whole; });
        const auto* excess = dynamic_cast<const LimitExceeded*>(&error);
        const bool is_refused_later = excess != nullptr && place.signatures == 1 && known.fault.empty();
        const bool goes_on = goes_on_after(error, source) || (is_refused_later && !source.failed());
        if (encrypted || place.signatures == 0 || !goes_on) throw;
        known.fault = error.what();
        if (excess != nullptr) known.excess = *excess;
        again_ = true;
    }
    drain(window);
    note_labels(labels, place);
}

// read_content reads a MIME entity, another CMS structure without a ContentInfo around it (RFC 5652 section 5.2), or
// anything else, which is delivered as it is.
void Walk::read_content(Window& content, const std::string& type, const Place& place, bool bare) {
    if (type == oid::kData && (!bare || is_mime_entity(content.peek(kFront)))) {
        const EntityStart start = read_entity_start(content);
        if (start.exceeds && !place.whole) start.refuse();
        if (!start.fault.empty() && !bare) note_unread(place, start.fault);
        if (start.is_none() && !bare) return text(content, place);
        if (start.fault.empty() || !bare) return entity(start.header, content, place);
    } else if (type != oid::kData && is_cms_content_type(type)) {
        if (leaves_alone(type, "the content", place)) {
            if (place.whole) note_left_encrypted(type);
            return deliver_structure(type, content, place, bare);
        }
        const std::size_t layer = report_.layers.size();
        BerReader ber(content);
        if (structure(ber, type, "", place, bare)) ber.require_end();
        drain(content);
        if (layer < report_.layers.size()) note_range(layer, place, 0, content.position());
        return;
    } else if (place.whole) {
        note_content_type(type, bare, !bare || recognise(content) == InputForm::entity);
    }
    NullSink nowhere;
    TeeSource delivered(content, place.output == nullptr ? nowhere : *place.output);
    note_ciphertext({}, delivered, place);
    drain(delivered);
}

// note_content_type tells of content that is no data: a receipt or a time-stamp, for example. A file may hold that, and
// a warning says so. A mail is made of data (RFC 8551 section 2.4.1), so what could pass for one is doubted.
void Walk::note_content_type(const std::string& type, bool bare, bool is_mail) {
    constexpr const char* kHint = "take it for a document of that type, if at all";
    if (type == oid::kData) return;
    const std::string name = content_type_name(type);
    if (bare)
        report_.warnings.push_back(
            {"content-type", fmt::format("the content is of the type {} and not data: {}", name, kHint)});
    if (is_mail) doubt(fmt::format("what is signed is no mail: its content type is {}", name), kHint);
}

// sealed_off opens a layer, and what is sealed inside. Where that fails, nothing is told but what is known without a
// key: layers inside, or whose key it took, would tell an attacker who changes ciphertexts what they decrypt to.
void Walk::sealed_off(std::size_t layer, const std::function<void()>& open) {
    if (in_sealed_) return open();
    const Report before = report_;
    try {
        const Raised inside(in_sealed_);
        open();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::failed) throw;
        report_ = before;
        report_.layers[layer].failed = true;
        throw;
    }
}

// checked walks inside content that is held against a check behind it. What is malformed inside, or exceeds a limit,
// may be so because the content was changed: that is the answer then. Without a check that tells (`certain`), it always
// is: another answer would tell an attacker who changes ciphertexts what they decrypt to, as one about the padding
// would.
void Walk::checked(const std::function<void()>& inside, const std::function<bool()>& ends_well, bool certain,
                   const Error& fault) {
    try {
        inside();
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        if (!ends_well() || !certain) throw fault;
        if (again_) return;
        throw;
    }
    if (!ends_well()) throw fault;
}

bool Walk::compressed(BerReader& ber, const std::string& media_type, const Place& place, bool bare) {
    CompressedDataReader reader(ber);
    report_.layers[add_layer(LayerType::compressed, media_type, place)].algorithm = reader.algorithm_name();
    if (options_.task == Task::inspect && !reader.supported()) return false;
    Inflation inflation(reader.compressed(), expansion_);
    content(inflation, reader.content_type(), place.content(0), bare);
    reader.finish();
    return true;
}

void Walk::digested(BerReader& ber, const std::string& media_type, const Place& place, bool bare) {
    DigestedDataReader reader(ber);
    const std::size_t index = add_layer(LayerType::digested, media_type, place);
    Layer& layer = report_.layers[index];
    layer.algorithm = reader.algorithm_name();
    const Algorithm* row = reader.algorithm();
    if (row != nullptr) layer.strength = strength_of(*row);
    if (options_.task == Task::inspect) {
        content(reader.content(), reader.content_type(), place.content(0), bare);
        return reader.finish();
    }
    if (row == nullptr) throw unsupported(reader.algorithm_name());
    Digests digests({*row->hash});
    WorkSource work(reader.content(), workload_);
    TeeSource hashed(work, digests);
    const auto inside = [&] { content(hashed, reader.content_type(), place.content(1), bare); };
    const auto ends_well = [&] {
        drain(hashed);
        reader.finish();
        evidence_.push_back(reader.digest());
        return *digests.value(*row->hash) == reader.digest();
    };
    sealed_off(index, [&] { checked(inside, ends_well, true, changed(reader.algorithm_name())); });
}

void Walk::signed_data(BerReader& ber, const std::string& media_type, const Place& place, bool bare) {
    SignedDataReader reader(ber);
    const std::size_t layer = add_layer(LayerType::signed_data, media_type, place);
    if (!reader.has_content()) {
        finish_signed(reader);
        if (reader.signers().empty()) {
            report_.layers[layer].type = LayerType::certs_only;
            report_.layers[layer].carried = carried_by(reader);
            return;
        }
        if (bare && options_.detached_content && place.output != nullptr) return detached(reader, layer, place);
        if (options_.task == Task::inspect) {
            has_detached_ = true;
            report_.layers[layer].covers_whole = false;
            report_.layers[layer].is_detached = true;
            report_.warnings.push_back({"no-content", "the signature is detached: what it is over is not in the file"});
            const Digests none({});
            return judge(layer, reader, {none, reader.content_type(), {}}, place);
        }
        throw Error(ErrorKind::malformed, "the signature is detached and its content is missing",
                    "name the content with --content FILE");
    }
    std::set<Hash> hashes = reader.digest_algorithms();
    hashes.merge(std::set<Hash>(knowledge_[place.path].digests));
    Digests digests(hashes);
    FirstBytes first(digests);
    WorkSource work(reader.content(), workload_, hashes.size());
    TeeSource hashed(work, first);
    const Place inside = place.signed_content(hashes.size());
    content(hashed, reader.content_type(), inside, bare);
    finish_signed(reader);
    judge(layer, reader, {digests, reader.content_type(), first.bytes}, place);
    refuse_excess(inside, layer);
}

// detached checks a bare signature over a file: over its bytes as they are, their canonical form, and the MIME entity
// of a mail, with its type stated as writers do too, whichever was signed. The sender of a mail is checked. Where its
// entity was signed, its other fields are beside that, as those of a clear-signed mail are, and are not written.
void Walk::detached(SignedDataReader& reader, std::size_t layer, const Place& place) {
    has_detached_ = true;
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
    const bool is_mail = [&] {
        const auto source = options_.detached_content->open();
        Window window(*source);
        return recognise(window) == InputForm::entity;
    }();
    const bool noted = is_mail && note_detached_mail(true);
    note_content_type(reader.content_type(), true, is_mail);
    const auto over_its_entity = [&] {
        const auto source = options_.detached_content->open();
        Window window(*source);
        read_mail(window, false);
        JoinedSource entity(mail_.entity.raw(), window);
        mime::TransportSafe canonical(entity, mime::Canonicalisation::enclosed, {});
        return judge_over(canonical);
    };
    const auto over_entity = [&] {
        if (!noted) note_detached_mail(false);
        try {
            return over_its_entity() || (state_type(mail_) && over_its_entity());
        } catch (const LimitExceeded&) {
            throw;
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::malformed) throw;
            return false;  // a file that starts like a mail and is none
        }
    };
    const bool whole_file = over_bytes() || over_canonical_form();
    const bool its_entity = !whole_file && is_mail && over_entity();
    if (whole_file || its_entity)
        look_into_detached(is_mail, place.signed_content(0));
    else
        over_bytes();
    if (again_ || place.output == nullptr) return;
    const auto content = options_.detached_content->open();
    Window window(*content);
    if (its_entity) {
        read_mail(window, false);
        place.output->push(bytes_of(mail_.entity.raw()));
    }
    copy(window, *place.output);
}

// note_detached_mail notes whose mail a file is that was signed by itself; it says whether it did. What names no sender
// may be a file of another kind that starts like a mail, and is held to nothing more than its signature.
bool Walk::note_detached_mail(bool must_name_sender) {
    const auto source = options_.detached_content->open();
    Window window(*source);
    try {
        Mail mail = read_mail(window, false);
        if (must_name_sender && !names_address(mail)) return false;
        note_mail(std::move(mail));
        note_sender(mail_.entity);
        note_fields(mail_.entity.fields);
        return true;
    } catch (const LimitExceeded&) {
        throw;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;
        return false;
    }
}

// look_into_detached reports the layers of a file that a signature covers, and doubts what is encrypted in it: the file
// may be a mail, or get into one.
void Walk::look_into_detached(bool is_mail, const Place& place) {
    const auto source = options_.detached_content->open();
    MeasuredSource expanded(*source, expansion_);
    MeasuredSource worked_on(expanded, workload_);
    Window file(worked_on);
    if (!is_mail) return note_ciphertext({}, file, place);
    try {
        const Mail mail = read_mail(file, false);
        JoinedSource entity(mail.entity.raw(), file);
        look_into(entity, place);
    } catch (const LimitExceeded&) {
        throw;
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::malformed) throw;  // else a file that starts like a mail and is none
    }
}

}  // namespace p11mime::cms::smime
