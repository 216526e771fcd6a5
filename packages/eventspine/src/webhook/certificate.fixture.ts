// A certificate of `customer.example`, signed by itself, for tests alone. Valid until 2126. Made by
//   openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 36500 -subj /CN=customer.example \
//     -addext subjectAltName=DNS:customer.example

export const certificate = `-----BEGIN CERTIFICATE-----
MIIBqTCCAVCgAwIBAgIUG4joSXbzLYmKV40fb5k6wmkqK6wwCgYIKoZIzj0EAwIw
GzEZMBcGA1UEAwwQY3VzdG9tZXIuZXhhbXBsZTAgFw0yNjExMjkyMjEyNDFaGA8y
MTI2MTEwNTIyMTI0MVowGzEZMBcGA1UEAwwQY3VzdG9tZXIuZXhhbXBsZTBZMBMG
ByqGSM49AgEGCCqGSM49AwEHA0IABAYoWZde8Lpktbc8hOYDA1uCNo1RsDnIyEOw
+88AxoZXjjPk7IQgurQRAMCFd6BVWGfzjewx3crHJGYG+ecRhh6jcDBuMB0GA1Ud
DgQWBBSQT9m96aTjPYeZym+gh+CaRAm8QjAfBgNVHSMEGDAWgBSQT9m96aTjPYeZ
ym+gh+CaRAm8QjAbBgNVHREEFDASghBjdXN0b21lci5leGFtcGxlMA8GA1UdEwEB
/wQFMAMBAf8wCgYIKoZIzj0EAwIDRwAwRAIgKZwPaQ1CPdPgcXas6owxCnNFPBHC
01spHmAowAxI2vUCIEHNU7bE8BJ4Cdoj2JqtsWA3Z9Wbw8s4qQwJZp9VQW+m
-----END CERTIFICATE-----`

export const certificateKey = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgQs/A8PZjeg3qup1a
DZehQ6CnoNU6M+VwS3c8TydJJu2hRANCAAQGKFmXXvC6ZLW3PITmAwNbgjaNUbA5
yMhDsPvPAMaGV44z5OyEILq0EQDAhXegVVhn843sMd3KxyRmBvnnEYYe
-----END PRIVATE KEY-----`
