#include "softhsm-tests/piv_card/virtual_card.h"

#include <fmt/format.h>

#include <numeric>

#include "mime/hex.h"

namespace p11mime::piv_card {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kLongWait{60'000}, kReaderPoll{20};

/// The reader's messages of one byte.
enum Signal : Byte { kPowerOff = 0, kPowerOn = 1, kReset = 2, kGiveAtr = 4 };

/// answer_to_reset says T=0 and T=1 and has historical bytes of its own, so that no driver takes the card for another
/// product (ISO 7816-3 section 8.2).
Bytes answer_to_reset() {
    Bytes atr = {0x3b, 0x88, 0x80, 0x01, 'v', 'i', 'r', 't', '-', 'P', 'I', 'V'};
    atr.push_back(std::accumulate(atr.begin() + 1, atr.end(), Byte{0},
                                  [](Byte sum, Byte byte) { return static_cast<Byte>(sum ^ byte); }));
    return atr;
}

Bytes encoded(const Answer& answer) {
    Bytes bytes = answer.data;
    bytes.push_back(static_cast<Byte>(answer.status >> 8));
    bytes.push_back(static_cast<Byte>(answer.status));
    return bytes;
}

}  // namespace

VirtualCard::VirtualCard(Card its_card, std::uint16_t port, const std::string& log)
    : card(std::move(its_card)), port_(port) {
    if (!log.empty()) log_.open(log);
}

void VirtualCard::insert() {
    inserted_ = true;
}

void VirtualCard::remove() {
    inserted_ = powered_ = false;
    pending_.reset();
    link_.close();
    card.reset();
}

void VirtualCard::release() {
    if (pending_) pending_->held = false;
}

void VirtualCard::serve() {
    const std::optional<Bytes> message = link_.read();
    if (!message) {
        pending_.reset();
        powered_ = false;
        card.reset();
        return;
    }
    if (message->size() != 1) return transmit(*message);
    switch (message->front()) {
        case kPowerOff:
        case kPowerOn:
        case kReset:
            powered_ = message->front() != kPowerOff;
            card.reset();
            return;
        case kGiveAtr:
            return link_.write(answer_to_reset());
        default:
            return;
    }
}

void VirtualCard::transmit(ByteView bytes) {
    ++commands;
    const std::optional<Apdu> apdu = parse_apdu(bytes);
    const std::optional<Event> event = apdu ? incidents.next(*apdu) : std::nullopt;
    if (event && std::holds_alternative<Removal>(*event)) {
        note(*apdu, 0);
        return remove();
    }
    const Refusal* refusal = event ? std::get_if<Refusal>(&*event) : nullptr;
    Answer answer{kWrongLength, {}};
    if (refusal != nullptr)
        answer.status = refusal->status;
    else if (apdu)
        answer = card.transmit(*apdu);
    note(apdu.value_or(Apdu{}), answer.status);
    pending_ = {.answer = encoded(answer),
                .due = Clock::now() + slowness,
                .held = event && std::holds_alternative<Hold>(*event)};
    tick();
}

std::chrono::milliseconds VirtualCard::tick() {
    if (inserted_ && !link_.is_open() && !link_.open(port_)) return kReaderPoll;
    if (!pending_ || pending_->held) return kLongWait;
    const auto now = Clock::now();
    if (pending_->due > now) return std::chrono::ceil<std::chrono::milliseconds>(pending_->due - now);
    link_.write(pending_->answer);
    pending_.reset();
    return kLongWait;
}

/// note writes the command's header and the sizes, never its data, which may be a PIN.
void VirtualCard::note(const Apdu& apdu, std::uint16_t status) {
    if (!log_.is_open()) return;
    log_ << fmt::format("{:02x} {:02x} {:02x} {:02x} Lc={} Le={} {:04x}\n", apdu.cla, apdu.ins, apdu.p1, apdu.p2,
                        apdu.data.size(), apdu.expected, status)
         << std::flush;
}

std::string VirtualCard::status() const {
    return fmt::format(
        "inserted={} connected={} powered={} verified={} tries={} puk-tries={} apdus={} held={} ordered={} serial={}",
        inserted_, link_.is_open(), powered_, card.verified(), card.pin.tries, card.puk.tries, commands,
        pending_ && pending_->held, incidents.size(), hex(card.serial()));
}

}  // namespace p11mime::piv_card
