// Starts Swagger UI on the document beside this page. The validator badge would ask a foreign host.
window.SwaggerUIBundle({
    url: 'openapi.json',
    dom_id: '#swagger-ui',
    deepLinking: true,
    persistAuthorization: false,
    validatorUrl: null,
});
