#include <fmt/format.h>
#include <openssl/rand.h>

#include <algorithm>
#include <list>

#include "cms/openssl_error.h"
#include "cms/sign_scheme.h"
#include "cms/signed_data.h"
#include "cms/smime/classify.h"
#include "cms/smime/joined_source.h"
#include "cms/smime/legacy_display.h"
#include "cms/smime/mail.h"
#include "cms/smime/preview.h"
#include "cms/smime/protected_headers.h"
#include "cms/smime/protection.h"
#include "cms/smime/writers.h"
#include "mime/hex.h"
#include "mime/line_endings.h"
#include "mime/transport.h"
#include "mime/unicode.h"

namespace p11mime::cms::smime {

namespace {

std::string random_boundary() {
    Byte random[16];
    require(RAND_bytes(random, sizeof random) == 1, "no random numbers", ErrorKind::io);
    return "p11mime-" + hex(random);
}

// Chain is the writers of one pass, from the output inwards.
class Chain {
  public:
    explicit Chain(Sink& to) : inner_(&to) {}
    Sink& inner() { return *inner_; }
    void add(std::unique_ptr<EntityWriter> writer) {
        inner_ = writer.get();
        writers_.push_front(std::move(writer));
    }
    bool finish() {
        bool good = true;
        for (const auto& writer : writers_)
            good = writer->finish() && good;
        return good;
    }

  private:
    Sink* inner_;
    std::list<std::unique_ptr<EntityWriter>> writers_;  // innermost first
};

// WriteJob puts layers around a mail or entity, all in one stream.
class WriteJob final : public MakeJob {
  public:
    template <class Options>
    WriteJob(const Options& options, std::vector<std::string> drop_fields)
        : form_(options.form),
          entity_(options.entity),
          protect_headers_(options.protect_headers),
          protection_required_(options.protection_required),
          drop_fields_(std::move(drop_fields)) {}

    // Layers are added from the outside in.
    void add_signature(SigningState state) { layers_.push_back({std::move(state), std::nullopt, std::nullopt}); }
    void add_encryption(EncryptionState state) { layers_.push_back({std::nullopt, std::move(state), std::nullopt}); }
    void add_compression() { layers_.push_back({std::nullopt, std::nullopt, CompressionState{}}); }

    bool pass(Source& input, Sink& output) override {
        const bool good = any_pass(input, output);
        if (settled_ && !good) throw Error(ErrorKind::io, "the input changed while it was read");
        settled_ = good;
        return good;
    }

    std::vector<Warning> warnings() const override {
        std::vector<Warning> warnings;
        if (!left_outside_.empty()) warnings.push_back({"header-left-outside", left_outside_});
        if (!doubt_.empty())
            warnings.push_back(
                {"doubtful",
                 fmt::format("careful programs, p11mime among them, will not take this mail for valid: {}", doubt_)});
        return warnings;
    }

  private:
    bool any_pass(Source& input, Sink& output) {
        Window window(input);
        const InputForm recognised = recognise(window);
        if (recognised == InputForm::entity || (entity_ && recognised != InputForm::other))
            return entity_pass(window, output);
        if (form_ == Form::smime) {
            const std::string hint = before_header_hint(window);
            throw Error(ErrorKind::malformed,
                        window.peek(1).empty() ? "the input is empty" : "the input is neither a mail nor a MIME entity",
                        hint.empty()
                            ? "give a mail, put a line such as 'Content-Type: text/plain' and an empty line before "
                              "it, or choose --form der"
                            : hint);
        }
        if (window.peek(1).empty()) throw Error(ErrorKind::malformed, "the input is empty");
        Chain chain = writers(output);
        copy(window, chain.inner());
        return chain.finish();
    }

    struct LayerState {
        std::optional<SigningState> signing;
        std::optional<EncryptionState> encryption;
        std::optional<CompressionState> compression;
    };

    bool entity_pass(Window& window, Sink& output) {
        Mail mail = read_mail(window, entity_);
        state_type(mail);
        for (LayerState& layer : layers_)
            if (layer.signing && layer.signing->intent.empty())
                layer.signing->intent = "sign " + mail_name(mail.recipients(), mail.subject());

        std::unique_ptr<EditedEntity> edited;
        left_outside_ = left_outside(mail);
        if (protection_required_ && !left_outside_.empty())
            throw Error(ErrorKind::usage, left_outside_,
                        "start from the mail as it was before, or leave --protect-headers out");
        if (protects(mail))
            edited = put_inside(mail, window);
        else if (!is_detached())
            leave_outside(mail);

        mime::LfSink lf(output);
        const bool to_lf = form_ == Form::smime && mail.ending == mime::LineEnding::lf;
        Sink& to = to_lf ? static_cast<Sink&>(lf) : output;
        if (form_ == Form::smime) to.push(bytes_of(transport_header(mail, drop_fields_)));

        Chain chain = writers(to);
        JoinedSource entity(mail.entity.raw(), edited ? static_cast<Source&>(*edited) : window);
        mime::TransportSafe content(entity, canonicalisation(), plan_, top_header(mail));
        Window safe(content);
        doubt_ = doubt(mail, safe);
        copy(safe, chain.inner());
        if (!content.refusal().empty())
            throw Error(ErrorKind::malformed, "the mail cannot be clear-signed: " + content.refusal(), "use --opaque");
        if (content.needed() != plan_) {
            plan_ = content.needed();
            return false;
        }
        const bool good = chain.finish();
        if (to_lf) lf.finish();
        return good;
    }

    bool encrypts() const {
        return std::any_of(layers_.begin(), layers_.end(),
                           [](const LayerState& layer) { return layer.encryption.has_value(); });
    }

    // doubt says why readers will not take the signed mail for valid; nothing is consumed of its content.
    std::string doubt(Mail mail, Window& content) const {
        const auto signing = std::find_if(layers_.begin(), layers_.end(),
                                          [](const LayerState& layer) { return layer.signing.has_value(); });
        if (signing == layers_.end() || form_ != Form::smime) return "";
        mail.raw = transport_header(mail, drop_fields_);
        std::vector<Certificate> signers;
        for (const Signer* signer : signing->signing->signers)
            signers.push_back(signer->certificate());
        const ByteView front = content.peek(kPreviewed);
        return preview(mail, front.first(std::min(front.size(), kPreviewed)), signers, encrypts());
    }

    // protects says whether the header fields of a mail go inside. What is signed or encrypted already is no payload: a
    // reader would not look for them there.
    bool protects(const Mail& mail) const { return protect_headers_ && mail.is_mail && !has_layer(mail); }

    static bool has_layer(const Mail& mail) {
        const EntityKind kind = classify(mail.entity);
        return kind == EntityKind::clear_signed || kind == EntityKind::cms;
    }

    // left_outside says what of a mail that has a layer already is not protected although that is wanted: the text of
    // some fields, where the mail is encrypted.
    std::string left_outside(const Mail& mail) const {
        if (!protect_headers_ || !mail.is_mail || !has_layer(mail)) return "";
        std::vector<std::string> readable;
        for (HiddenField& field : protect(mail.transport, encrypts()).hidden)
            readable.push_back(std::move(field.name));
        if (encrypts() && readable.empty()) return "";
        return fmt::format(
            "the mail is signed or encrypted already, so its header fields cannot go inside{}",
            readable.empty() ? "" : fmt::format(": whoever sees the mail can read its {}", fmt::join(readable, ", ")));
    }

    // put_inside moves the header fields of a mail into its entity, and gives the body that belongs to it then.
    std::unique_ptr<EditedEntity> put_inside(Mail& mail, Window& body) const {
        Protection protection = protect(mail.transport, encrypts());
        std::unique_ptr<EditedEntity> edited;
        mime::Header entity = mail.entity;
        if (!protection.hidden.empty()) {
            edited = with_legacy_display(std::move(entity), body, protection);
            entity = edited->header();
        }
        mail.transport = std::move(protection.outside);
        mail.entity.fields = std::move(protection.inside);
        for (mime::Field& field : entity.fields)
            mail.entity.fields.push_back(mime::equal_ignoring_case(field.name, "Content-Type")
                                             ? mark_protected(field, encrypts())
                                             : std::move(field));
        return edited;
    }

    // leave_outside sees to it that no reader looks for the header fields of a mail in its entity.
    static void leave_outside(Mail& mail) {
        take_stray_marks_off(mail.entity);
        if (mail.is_mail && wraps_mail(mail.entity)) mark_forwarded(mail.entity);
    }

    // is_detached: the content stays where it is, and no reader looks for header fields there.
    bool is_detached() const {
        const std::optional<SigningState>& outermost = layers_.front().signing;
        return form_ != Form::smime && outermost && outermost->options.detached;
    }

    // canonicalisation is decided by the innermost layer, the one that meets the content.
    mime::Canonicalisation canonicalisation() const {
        const LayerState& inner = layers_.back();
        const bool clear = inner.signing && !inner.signing->options.opaque && !inner.signing->options.detached &&
                           inner.signing->options.form == Form::smime;
        return clear ? mime::Canonicalisation::clear_signed : mime::Canonicalisation::enclosed;
    }

    // top_header is what the header of the content may hold, where it is that of the mail too.
    mime::TopHeader top_header(const Mail& mail) const {
        if (!protects(mail)) return mime::TopHeader::seven_bit;
        if (encrypts()) return mime::TopHeader::any;
        const bool ascii = std::all_of(mail.transport.begin(), mail.transport.end(),
                                       [](const mime::Field& field) { return mime::is_ascii(field.raw); });
        return ascii ? mime::TopHeader::seven_bit : mime::TopHeader::utf8;
    }

    Chain writers(Sink& output) {
        Chain chain(output);
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            const Form form = i == 0 ? form_ : Form::smime;
            if (layers_[i].encryption) {
                chain.add(encrypted_writer(chain.inner(), *layers_[i].encryption, form));
                continue;
            }
            if (layers_[i].compression) {
                chain.add(compressed_writer(chain.inner(), *layers_[i].compression, form));
                continue;
            }
            SigningState& state = *layers_[i].signing;
            if (form != Form::smime && state.options.detached)
                chain.add(detached_signature_writer(chain.inner(), state, form));
            else if (form != Form::smime || state.options.opaque)
                chain.add(opaque_signed_writer(chain.inner(), state, form));
            else
                chain.add(clear_signed_writer(chain.inner(), state));
        }
        return chain;
    }

    Form form_;
    bool entity_;
    bool protect_headers_;
    bool protection_required_;
    std::vector<std::string> drop_fields_;
    std::vector<LayerState> layers_;  // outermost first
    mime::TransportPlan plan_;
    std::string doubt_;
    std::string left_outside_;
    bool settled_ = false;  // a pass was good: another one learns nothing new
};

SigningState new_signing_state(const std::vector<Signer*>& signers, const Clock& clock, const SignOptions& options) {
    if (signers.size() > kMaxSigners)
        throw Error(ErrorKind::usage, fmt::format("{} signers are more than the {} that readers of one mail accept",
                                                  signers.size(), kMaxSigners));
    SigningState state;
    state.signers = signers;
    for (const Signer* signer : signers)
        state.schemes.push_back(natural_scheme(*signer, options.digest, options.pss));
    state.clock = &clock;
    state.options = options;
    state.intent = options.intent;
    state.boundary = random_boundary();
    return state;
}

}  // namespace

std::string mail_name(const std::string& recipients, const std::optional<std::string>& subject) {
    const std::string name = recipients.empty() ? "a mail" : "the mail to " + recipients;
    return subject ? fmt::format("{}, '{}'", name, *subject) : name;
}

SignScheme natural_scheme(const Signer& signer, std::optional<Hash> digest, bool pss) {
    const SignScheme scheme = chosen_scheme(signer.certificate(), digest, pss);
    if (std::string obstacle = signer.obstacle(scheme); !obstacle.empty())
        throw Error(ErrorKind::token, obstacle,
                    std::holds_alternative<Pure>(scheme) ? "use another key or another token"
                                                         : "choose another digest or leave --pss out");
    return scheme;
}

std::unique_ptr<MakeJob> sign_job(const std::vector<Signer*>& signers, const Clock& clock, const SignOptions& options) {
    auto job = std::make_unique<WriteJob>(options, std::vector<std::string>{});
    job->add_signature(new_signing_state(signers, clock, options));
    if (options.compress) job->add_compression();
    return job;
}

std::unique_ptr<MakeJob> encrypt_job(const std::vector<Recipient>& recipients, const EncryptOptions& options) {
    auto job = std::make_unique<WriteJob>(options, options.drop_fields);
    job->add_encryption(new_encryption_state(recipients, *options.cipher));
    if (options.compress) job->add_compression();
    return job;
}

std::unique_ptr<MakeJob> seal_job(const std::vector<Signer*>& signers, const Clock& clock, SignOptions sign,
                                  const std::vector<Recipient>& recipients, const EncryptOptions& encrypt,
                                  bool triple) {
    auto job = std::make_unique<WriteJob>(encrypt, encrypt.drop_fields);
    sign.form = Form::smime;
    sign.detached = false;
    if (triple) job->add_signature(new_signing_state(signers, clock, sign));
    job->add_encryption(new_encryption_state(recipients, *encrypt.cipher));
    job->add_signature(new_signing_state(signers, clock, sign));
    if (encrypt.compress) job->add_compression();
    return job;
}

}  // namespace p11mime::cms::smime
