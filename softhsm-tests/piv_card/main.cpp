// A PIV card (SP 800-73-4) in a virtual reader (vpcd): p11mime-piv-card --keys DIRECTORY --control SOCKET [options].
// The directory holds 9a.key, 9a.pem, … (see KeyStore); the socket takes the commands of control.h. Options:
//   --port N          where the reader listens (35963)
//   --serial HEX      the end of the card's GUID (01)
//   --pin, --puk DIGITS   123456 and 12345678
//   --log FILE        one line for each command, without its data
//   --outside         it is not inserted at the start
// It runs until it is killed.

#include <poll.h>

#include <algorithm>
#include <iostream>
#include <map>
#include <stdexcept>

#include "mime/hex.h"
#include "softhsm-tests/piv_card/control.h"

using namespace p11mime;
using namespace p11mime::piv_card;

namespace {

struct Options {
    std::map<std::string, std::string> values = {{"--keys", ""},    {"--control", ""},   {"--port", "35963"},
                                                 {"--log", ""},     {"--pin", "123456"}, {"--puk", "12345678"},
                                                 {"--serial", "01"}};
    bool outside = false;
};

Options parse(const std::vector<std::string>& arguments) {
    Options options;
    for (auto word = arguments.begin(); word != arguments.end(); ++word) {
        if (*word == "--outside") {
            options.outside = true;
            continue;
        }
        const auto option = options.values.find(*word);
        if (option == options.values.end() || ++word == arguments.end())
            throw std::runtime_error("unknown option, or its value is missing");
        option->second = *word;
    }
    if (options.values["--keys"].empty() || options.values["--control"].empty())
        throw std::runtime_error("--keys and --control are needed");
    return options;
}

VirtualCard make_card(const Options& options) {
    const auto& values = options.values;
    const std::optional<Bytes> serial = parse_hex(values.at("--serial"));
    if (!serial) throw std::runtime_error("--serial is hexadecimal");
    Card card(KeyStore::load(values.at("--keys")), *serial);
    card.pin.digits = values.at("--pin");
    card.puk.digits = values.at("--puk");
    return {std::move(card), static_cast<std::uint16_t>(std::stoul(values.at("--port"))), values.at("--log")};
}

[[noreturn]] void run(VirtualCard& card, ControlSocket& control) {
    while (true) {
        const auto wait = card.tick();
        std::vector<pollfd> waiting;
        for (const int descriptor : control.descriptors())
            waiting.push_back({descriptor, POLLIN, 0});
        waiting.push_back({card.descriptor(), POLLIN, 0});  // poll passes over -1
        if (poll(waiting.data(), waiting.size(), static_cast<int>(wait.count())) <= 0) continue;
        const pollfd reader = waiting.back();
        waiting.pop_back();
        if (reader.revents != 0) card.serve();
        for (const pollfd& client : waiting)
            if (client.revents != 0) control.serve(client.fd, card);
    }
}

}  // namespace

int main(int count, char** words) try {
    const Options options = parse({words + 1, words + count});
    VirtualCard card = make_card(options);
    ControlSocket control(options.values.at("--control"));
    if (!options.outside) card.insert();
    run(card, control);
} catch (const std::exception& error) {
    std::cerr << "p11mime-piv-card: " << error.what() << '\n';
    return 1;
}
