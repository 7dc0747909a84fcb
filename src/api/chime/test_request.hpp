// A request for tests, and its signature. One test, one thread.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <string>
#include <string_view>

#include "net/http.hpp"
#include "net/sigv4.hpp"

namespace api::chime::test {

struct TestRequest {
    std::string method = "GET";
    std::string target = "/chime/";
    std::string body;
    boost::beast::http::fields fields;

    TestRequest() { fields.set("Host", "video.example.org:8086"); }

    /// Views into this.
    net::Request request() const {
        net::Request view;
        view.method = method;
        view.target = target;
        view.body = body;
        view.fields = &fields;
        return view;
    }

    void sign(std::string id, std::string secret, std::string_view region, std::string_view service, core::Time now) {
        const net::AwsKeys keys{.access_key_id = std::move(id), .secret_access_key = std::move(secret)};
        const auto view = request();
        net::SignableRequest signable;
        signable.method = method;
        signable.host = std::string{view.header("Host")};
        signable.path = std::string{view.path()};
        signable.query = net::canonical_query_of(view.query());
        signable.body = body;
        for (const auto& [name, value] : net::signature_headers(signable, keys, region, service, now)) {
            fields.set(name, value);
        }
    }
};

}  // namespace api::chime::test
