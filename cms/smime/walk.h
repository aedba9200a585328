#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>

#include "cms/authenticated_data.h"
#include "cms/enveloped_data.h"
#include "cms/smime/ciphertext.h"
#include "cms/smime/classify.h"
#include "cms/smime/content_keys.h"
#include "cms/smime/judge.h"
#include "cms/smime/label_watch.h"
#include "cms/smime/mail.h"
#include "cms/smime/multipart_levels.h"
#include "cms/smime/protected_headers.h"
#include "cms/smime/read.h"
#include "cms/smime/traced_source.h"
#include "cms/smime/workload.h"
#include "cms/zlib.h"
#include "mime/hidden_fields.h"
#include "mime/limit.h"

namespace p11mime::cms::smime {

/// LayerKnowledge is what has been learned of one layer, kept between passes.
struct LayerKnowledge {
    std::set<Hash> digests;               ///< needed beyond those announced
    std::optional<ContentKey> key;        ///< found once, however many passes there are
    std::string fault;                    ///< why the content that stands there cannot be read; empty where it can
    std::optional<LimitExceeded> excess;  ///< that fault, where it is that
    Bytes associated_data;                ///< authenticated attributes, which follow the ciphertext that they protect
};
using Knowledge = std::map<std::string, LayerKnowledge>;  ///< by the layer's path

/// has_odd_boundary says whether the type of an entity has a boundary that some programs may read in it, or read
/// another way, and content_type does not: "message/rfc822 boundary=x", "message/rfc822; boundary='x'".
bool has_odd_boundary(const mime::Header& header);

/// Walk is one pass through the layers of a mail: it recurses from layer to layer, each reading from the one around it,
/// and writes the content of the innermost that the task takes off.
class Walk {
  public:
    Walk(const ReadOptions& options, DecrypterSource* keys, const Trust* trust, Knowledge& knowledge,
         Workload& workload)
        : options_(options), keys_(keys), trust_(trust), knowledge_(knowledge), workload_(workload) {}

    /// run fills report(); again() then says whether another pass is needed.
    void run(Source& input, Sink& output);
    const Report& report() const { return report_; }
    bool again() const { return again_; }

    /// foresee fills report() with what will be made of content once it is signed, in the mail around it (preview).
    void foresee(Mail mail, ByteView content, const std::vector<Certificate>& signers, bool encrypted);

    /// evidence is the digests and tags that the contents were held against: the same in each pass over the same input.
    const std::vector<Bytes>& evidence() const { return evidence_; }

  private:
    /// Place is where in the mail the walk stands.
    struct Place {
        std::string path;
        std::optional<std::string> parent;  ///< path of the layer around
        bool whole = true;                  ///< nothing of the mail is beside this
        std::size_t signatures = 0;         ///< that cover what is here, inside all encryption
        std::size_t depth = 0;
        std::size_t header_fields = 0;           ///< of the headers around what is here and its own, which are all held
        std::size_t header_bytes = 0;            ///< likewise
        std::size_t digests = 0;                 ///< that the layers around compute of what is here
        std::optional<std::uint64_t> begin = 0;  ///< of what is here, in the content of the layer around; nothing where
                                                 ///< that is not known
        bool later_part = false;   ///< a part of multipart/mixed behind its first: an attachment may stand here
        bool in_digest = false;    ///< a part of multipart/digest, which is a mail unless it says otherwise
        bool attached = false;     ///< in an attachment, which is no text of whoever signed what is around
        std::string misread = {};  ///< of a part: why programs differ on what is in it; empty where not
        Sink* output = nullptr;    ///< null below parts: their layers are reported, not taken off

        Place child(std::size_t number, bool same_layer) const;
        Place under(const mime::Header& header) const;
        /// content is where the content of a layer is that computes digests of it.
        Place content(std::size_t digests_of_it) const;
        Place signed_content(std::size_t digests_of_it) const;
        Place decrypted_content() const;
        /// at is here, `offset` bytes further on.
        Place at(std::uint64_t offset) const;
    };

    void bare_cms(Window& input, InputForm form, Sink& output);
    void detached(SignedDataReader& reader, std::size_t layer, const Place& place);
    bool note_detached_mail(bool must_name_sender);
    void look_into_detached(bool is_mail, const Place& place);

    void note_mail(Mail mail);
    void note_sender(const mime::Header& header);
    void note_fields(const std::vector<mime::Field>& fields);
    void note_around(const mime::Header& header);
    void note_lines(std::string_view raw_header);
    void text(Window& content, const Place& place);
    void note_hidden(mime::HiddenFields& text, const Place& place);
    void note_label(const mime::Header& header);
    void note_signature_part(const mime::Header& header);
    void note_text_beside(Source& text, std::size_t layer, const Place& place);
    void tell_text_beside();
    void note_encoding(const mime::Header& header, Place& place);
    void note_stray_signature(const Place& place);
    void note_smime_type(const mime::Header& header, LayerType type);
    void doubt(const std::string& reason,
               const std::string& hint = "ask the sender to send it again, and rely on nothing in it before");
    void note_left_encrypted(const std::string& type);
    enum class Certainty { certain, possible };
    void note_encrypted(const Place& place, Certainty certainty = Certainty::certain);
    void note_openpgp(const mime::Header& header, Window& body, const Place& place);
    void note_ciphertext(const mime::Header& header, Source& body, const Place& place);
    void note_found(Ciphertext found, const Place& place);
    void note_openpgp_beside(Source& beside, const Place& place);
    void note_content_type(const std::string& type, bool bare, bool is_mail);
    void note_range(std::size_t layer, const Place& place, std::uint64_t begin, std::uint64_t end);
    void entity(const mime::Header& header, Window& body, const Place& around);
    void any_entity(const mime::Header& header, Window& body, const Place& place);
    void payload(const mime::Header& header, Window& body, const Place& place);
    void watched_mail(const mime::Header& header, Window& body, const Place& place);
    void wrapped_mail(const mime::Header& header, Window& body, const Place& place);
    void adopt(ProtectedHeader inner);
    void note_left_out(const mime::Header& header);
    void note_protected(const std::vector<std::string>& names);
    bool came_signed() const;
    bool came_encrypted() const;
    void view_senders();
    void note_no_sender();
    void deliver(const mime::Header& header, Source& body, const Place& place);
    void leaf(const mime::Header& header, Source& body, const Place& place);
    void deliver_structure(const std::string& type, Source& structure, const Place& place, bool bare);
    void multipart(const mime::Header& header, Window& body, const Place& place);
    void message(const mime::Header& header, Window& body, const Place& place);
    void other_message(const mime::Header& header, Source& body, const Place& place);
    void note_boundary(const Place& place);
    void look_into(Source& part, Place place);
    static bool goes_on_after(const Error& error, const TracedSource& source);
    void refuse_excess(const Place& content, std::size_t layer) const;
    void note_part_header(const mime::Header& header, const Place& place);
    void note_unread(const Place& place, const std::string& why);
    void note_unreadable(const Place& place, const std::string& why);
    void note_labels(const LabelWatch& labels, const Place& place);
    void note_not_looked_into(const Place& place, const std::string& why);
    void note_elsewhere(const mime::Header& header, const Place& place);
    void leave_unread(Window& content, const std::string& type, const Place& place, bool bare);
    void clear_signed(const mime::Header& header, Window& body, const Place& place);
    void cms_entity(const mime::Header& header, Window& body, const Place& place);

    void cms(Source& der, const std::string& media_type, const Place& place, bool bare);
    void signed_data(BerReader& ber, const std::string& media_type, const Place& place, bool bare);
    bool structure(BerReader& ber, const std::string& type, const std::string& media_type, const Place& place,
                   bool bare);
    bool compressed(BerReader& ber, const std::string& media_type, const Place& place, bool bare);
    void digested(BerReader& ber, const std::string& media_type, const Place& place, bool bare);
    void authenticated(BerReader& ber, const std::string& media_type, const Place& place, bool bare);
    bool encrypted(BerReader& ber, EncryptedKind kind, const std::string& media_type, const Place& place, bool bare);
    void sealed_off(std::size_t layer, const std::function<void()>& open);
    void decrypt(EnvelopedDataReader& reader, std::vector<RecipientEntry>&& recipients, std::size_t layer,
                 const Place& place, bool bare);
    void authenticate(AuthenticatedDataReader& reader, std::vector<RecipientEntry>&& recipients, std::size_t layer,
                      const Place& place, bool bare);
    void checked(const std::function<void()>& inside, const std::function<bool()>& ends_well, bool certain,
                 const Error& fault);
    void note_recipients(const std::vector<RecipientEntry>& recipients, Layer& layer);
    void note_weak(const Algorithm& cipher, Layer& layer);
    const ContentKey& content_key(std::vector<RecipientEntry>&& recipients, const KeySizes& sizes, const Error& wrong,
                                  Layer& layer);
    void note_cipher(const ContentEncryptionAlgorithm& algorithm, Layer& layer);
    void content(Source& from, const std::string& type, const Place& place, bool bare);
    void read_content(Window& content, const std::string& type, const Place& place, bool bare);

    bool takes_signed() const { return options_.task != Task::decrypt; }
    bool leaves_alone(const std::string& type, const char* what, const Place& place);
    void finish_signed(SignedDataReader& reader);
    std::size_t add_layer(LayerType type, const std::string& media_type, const Place& place);
    void judge(std::size_t layer, const SignedDataReader& reader, const SignedContent& signed_content,
               const Place& place);
    void require_layer() const;

    const ReadOptions& options_;
    DecrypterSource* keys_;
    const Trust* trust_;
    Knowledge& knowledge_;
    Workload& workload_;
    Report report_;
    Mail mail_;
    Sender sender_;
    std::vector<mime::Field> more_senders_;  ///< From and Sender fields that readers may see besides those of mail_
    Doubts doubts_;
    bool again_ = false;
    std::optional<std::size_t> beside_text_;  ///< the first layer that text stands beside
    bool has_stray_signature_ = false;
    bool has_detached_ = false;  ///< a signature is over what is not in the input
    ExpansionLimit expansion_;
    std::size_t recipients_ = 0;  ///< of all layers
    bool foreseeing_ = false;     ///< what signing will make of content
    MultipartLevels levels_;
    std::size_t unread_ = 0;              ///< parts
    std::set<std::string> unread_parts_;  ///< paths of those that others may read
    std::size_t encrypted_ = 0;           ///< likewise
    std::size_t signers_ = 0;             ///< likewise
    std::size_t signer_bytes_ = 0;        ///< of their SignerInfos
    std::vector<Bytes> evidence_;
    bool in_sealed_ = false;        ///< in a layer that is told of only if it opens well
    std::optional<Error> failure_;  ///< of a layer in a signature, which is judged all the same
    std::string left_alone_;        ///< why a layer of the other kind on the outside was not taken off
};

}  // namespace p11mime::cms::smime
